import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { judgePlatform } from '../harness/judge-platform.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { runTrial } from '../harness/trial.ts'
import { decide, type Verdict } from '../harness/verdict/decide.ts'
import { brokenIn } from '../harness/verdict/verdict.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import { formatDuration } from '../sandbox/world/time.ts'
import { scenarios } from './index.ts'

/**
 * Tests that the sample platforms of a scenario come out as its `expected.json` says. Called with the `import.meta.url` of the
 * `samples.test.ts` in its folder: a file for each scenario, so that they are tested side by side.
 */
export function testSamples(url: string): void {
  const folder = fileURLToPath(new URL('.', url))
  const expected = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8')) as Record<string, Expected>
  const found = ['good', 'bad', 'decoy'].flatMap((sort) =>
    readdirSync(`${folder}${sort}`).map((name) => `${sort}/${name}`),
  )

  it('expects something of every sample platform, and of no other', () => {
    expect(Object.keys(expected).sort()).toEqual(found.sort())
    for (const name of found) expect(existsSync(`${folder}${name}/deploy.yaml`)).toBe(true)
  })

  it.each(found)(
    '%s',
    async (name) => {
      const { verdict, replay } = await judge(`${folder}${name}`, basename(folder))
      expect(facts(verdict)).toEqual(expected[name])
      expect(verdict.outcome).toBe(name.startsWith('bad/') ? 'FAIL' : 'PASS')
      if (verdict.outcome !== 'FAIL') return
      expect(verdict.finding!.evidence.length).toBeGreaterThan(0)
      expect(await replay()).toBe(`${verdict.finding!.cause} at ${verdict.finding!.at}`)
    },
    120_000,
  )
}

/** What a sample platform must come out as. */
interface Expected {
  outcome: string
  cause?: string
  /** `deploy.yaml:16:7 spec.strategy.rollingUpdate.maxSurge`. */
  source?: string
  fix?: string
  /** Files that the fix adds. */
  adds?: string[]
  /** The first line of what people do. */
  byHand?: string
  breaksAbove?: string
}

async function judge(folder: string, slug: string): Promise<{ verdict: Verdict; replay: () => Promise<string> }> {
  const platform = await loadPlatform({ paths: ['.'], cwd: folder })
  const { judgeables } = judgePlatform(platform, { capabilities: sim.capabilities })
  expect(judgeables).toHaveLength(1)
  const judgeable = judgeables[0]!
  const scenario = judgeable.withParameters(scenarios.find((s) => s.slug === slug)!)
  const verdict = await decide({
    scenario,
    judgeable,
    tier: sim,
    seeds: [1, 2, 3],
    replay: (seed, at) => `--seed ${seed} --at ${at}`,
  })
  const replay = async () => {
    const seed = Number(/--seed (\d+)/.exec(verdict.finding!.replay)![1])
    const again = await runTrial({ scenario, setup: judgeable.prepare({}), tier: sim, seed })
    const broken = brokenIn(again).find((b) => b.cause === verdict.finding!.cause)
    return `${broken?.cause} at ${broken && formatDuration(broken.at)}`
  }
  return { verdict, replay }
}

function facts({ outcome, finding, margin }: Verdict): Expected {
  const { source, fix, byHand } = finding ?? {}
  return {
    outcome,
    ...(finding ? { cause: finding.cause } : {}),
    ...(source ? { source: `${source.file}:${source.line}:${source.column} ${source.path}` } : {}),
    ...(fix ? { fix: fix.says } : {}),
    ...(fix?.adds ? { adds: fix.adds.map(({ file }) => file) } : {}),
    ...(byHand ? { byHand: byHand.commands[0]! } : {}),
    ...(margin?.breaksAtValue ? { breaksAbove: margin.breaksAtValue } : {}),
  }
}
