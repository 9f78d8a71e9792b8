import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { judgePlatform } from '../harness/judge-platform.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { decide, type Verdict } from '../harness/verdict/decide.ts'
import { findingSchema } from '../harness/verdict/finding-schema.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import { scenarios } from './index.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A copy of a sample, to paste into. */
function copyOf(sample: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
  folders.push(folder)
  cpSync(new URL(`./${sample}`, import.meta.url), folder, { recursive: true })
  return folder
}

async function verdictOn(folder: string, slug: string, others: readonly string[] = []): Promise<Verdict> {
  const platform = await loadPlatform({ paths: ['.'], cwd: folder })
  const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
  const scenario = (name: string) => judgeable.withParameters(scenarios.find((one) => one.slug === name)!)
  const options = { judgeable, tier: sim, seeds: [1], replay: () => '' }
  return decide({ ...options, scenario: scenario(slug), others: others.map(scenario) })
}

describe('a fix that adds objects, pasted into the file it names, turns the verdict', () => {
  it.each([
    ['xid-device-loss', 'nobody-moves', 'Deployment/kube-system/descheduler', 'drain-with-pdb'],
    ['spot-reclaim', 'no-termination-handler', 'DaemonSet/kube-system/aws-node-termination-handler', 'node-lost'],
    ['drain-with-pdb', 'two-of-a-node-at-once', 'PodDisruptionBudget/chat', 'bad-model-config'],
    ['metrics-outage', 'no-alert-on-outage', 'PrometheusRule/chat-autoscaler-alerts', 'bad-model-config'],
  ])(
    '%s %s: %s',
    async (slug, sample, object, other) => {
      const folder = copyOf(`${slug}/bad/${sample}`)
      const { outcome, finding } = await verdictOn(folder, slug, [other])
      expect(outcome).toBe('FAIL')
      expect(findingSchema.parse(JSON.parse(JSON.stringify(finding)))).toMatchObject({ fix: { outcome: 'PASS' } })
      const { adds = [], alsoRun } = finding!.fix!
      expect(adds.flatMap(({ objects }) => objects)).toContain(object)
      expect(alsoRun).toEqual([other])
      for (const { file, text } of adds) writeFileSync(join(folder, file), text)
      expect((await verdictOn(folder, slug)).outcome).toBe('PASS')
    },
    120_000,
  )
})

describe('no object is proposed', () => {
  it('where the platform has what would do it and is told not to', async () => {
    const folder = copyOf('spot-reclaim/good/termination-handler')
    const file = join(folder, 'deploy.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('DRAINING, value: "true"', 'DRAINING, value: "false"'))
    const { outcome, finding } = await verdictOn(folder, 'spot-reclaim')
    expect([outcome, finding?.cause, finding?.fix]).toEqual(['FAIL', 'notice-unused', undefined])
  }, 60_000)

  it('where a descheduler is there and a profile of its policy is enough', async () => {
    const folder = copyOf('xid-device-loss/good/descheduler')
    const file = join(folder, 'deploy.yaml')
    const text = readFileSync(file, 'utf8').replaceAll('RemovePodsHavingTooManyRestarts', 'RemoveDuplicates')
    writeFileSync(file, text.replace(/ {12}args:\n( {14}.*\n)+/, ''))
    const { outcome, finding } = await verdictOn(folder, 'xid-device-loss')
    expect([outcome, finding?.fix?.adds, finding?.fix?.says]).toEqual([
      'FAIL',
      undefined,
      'a profile with RemovePodsHavingTooManyRestarts, podRestartThreshold: 4',
    ])
  }, 60_000)
})
