import { describe, expect, it } from 'vitest'
import { casesOf, goodOf, readScenarios } from './cases.ts'
import { parsed, put, REMOVED, written } from './edit.ts'
import { factsOf } from './facts.ts'
import { drains } from './grammar/disruption.ts'
import { grammar } from './grammar/index.ts'
import { rolls } from './grammar/rollout.ts'
import { streamsEnd } from './grammar/streams.ts'
import { deployment, flag } from './places.ts'
import { compare } from './tally.ts'
import { tryCase } from './try-case.ts'

const scenarios = await readScenarios()
const good = goodOf('rollout-on-full-gpus').find(({ platform }) => platform === 'surge-and-unavailable')!

/** A change of each sort, in scenarios that take least time. */
const SAMPLE: readonly (readonly [scenario: string, what: string, to: string])[] = [
  ['rollout-on-full-gpus', 'maxUnavailable', '0'],
  ['rollout-on-full-gpus', 'maxUnavailable', '50%'],
  ['rollout-on-full-gpus', 'strategy', '{"type":"Recreate"}'],
  ['liveness-kills-loading', 'startupProbe.failureThreshold', '30'],
  ['liveness-kills-loading', 'startupProbe.failureThreshold', '240'],
  ['liveness-kills-loading', 'startupProbe', 'removed'],
  ['liveness-kills-loading', 'livenessProbe', 'removed'],
  ['bad-model-config', '--tensor-parallel-size, 8 GPUs', '6'],
  ['bad-model-config', '--max-model-len', '131072'],
  ['bad-model-config', 'order of documents', 'reversed'],
  ['bad-model-config', 'an unknown flag', 'max-number-seqs'],
  ['drain-with-pdb', 'PodDisruptionBudget.minAvailable', '2'],
  ['drain-with-pdb', 'PodDisruptionBudget.maxUnavailable', '1%'],
  ['drain-with-pdb', 'startupProbe.failureThreshold', '1'],
  ['sigterm-cuts-streams', 'lifecycle', 'removed'],
  ['sigterm-cuts-streams', 'terminationGracePeriodSeconds', '300'],
  ['engine-hung-health-ok', 'livenessProbe', 'removed'],
  ['engine-hung-health-ok', 'livenessProbe.failureThreshold', '2'],
  ['node-lost', 'replicas', '1'],
  ['spot-reclaim', 'termination handler, its draining', 'false'],
  ['xid-device-loss', 'podRestartThreshold', '100'],
]

describe('the grammar', () => {
  const cases = scenarios.flatMap(({ slug }) => goodOf(slug)).flatMap(casesOf)

  it('makes hundreds of changes, benign and harmful, each different from what it changes', () => {
    expect(cases.length).toBeGreaterThan(300)
    for (const expected of ['PASS', 'FAIL'] as const)
      expect(cases.filter((one) => one.expected === expected).length).toBeGreaterThan(150)
    const unchanged = new Set(scenarios.flatMap(({ slug }) => goodOf(slug)).map(({ files }) => JSON.stringify(files)))
    expect(cases.filter(({ files }) => unchanged.has(JSON.stringify(files)))).toEqual([])
  })

  it('has no line that changes nothing anywhere, and says why of each', () => {
    const used = new Set(cases.map(({ row }) => row))
    expect(grammar.filter((row) => !used.has(row)).map(({ what }) => what)).toEqual([])
    expect(grammar.filter(({ why }) => why === '')).toEqual([])
  })

  it.each(SAMPLE)('%s: %s → %s', async (slug, what, to) => {
    const one = cases.find(({ scenario, row, to: value }) => scenario === slug && row.what === what && value === to)!
    const got = await tryCase(one.files, scenarios.find((scenario) => scenario.slug === slug)!, one.beside)
    expect(`${compare(one.expected, got)} (${one.expected}, ${got.outcome} ${got.because})`).toMatch(/^agree/)
  })
})

describe('an edit', () => {
  it('changes one field and nothing else', () => {
    const changed = put(deployment('/spec/replicas'), 3)(good.files)!
    const before = parsed(good.files)
    const after = parsed(changed)
    expect(factsOf(changed).replicas).toBe(3)
    expect(put(deployment('/spec/replicas'), 4)(changed)).toEqual(written(before))
    expect(after.config).toEqual(before.config)
  })

  it('is none where there is nothing to change', () => {
    expect(put(deployment('/spec/replicas'), 4)(good.files)).toBeUndefined()
    expect(put(deployment('/spec/nothing/here'), REMOVED)(good.files)).toBeUndefined()
    expect(flag('tensor-parallel-size', 8)(good.files)).toBeUndefined()
    expect(flag('shutdown-timeout', REMOVED)(good.files)).toBeUndefined()
  })
})

describe('the rules', () => {
  const facts = factsOf(good.files)

  it('read plain figures', () => {
    expect(facts).toMatchObject({ replicas: 4, nodes: 4, gpusPerNode: 8, gpusPerPod: 8, surge: 1, unavailable: 1 })
    expect(facts).toMatchObject({ loadSeconds: 540, startSeconds: 1200, disruptions: undefined, tensorParallel: 8 })
  })

  it('say what follows', () => {
    expect(rolls({ ...facts, unavailable: 0 })).toBe('FAIL')
    expect(rolls({ ...facts, unavailable: 0, nodes: 5 })).toBe('PASS')
    expect(rolls({ ...facts, unavailable: 4 })).toBe('FAIL')
    const two = { ...facts, replicas: 2, nodes: 2, gpusPerNode: 2, disruptions: 1 }
    expect(drains(two)).toBe('PASS')
    expect(drains({ ...two, disruptions: 0 })).toBe('FAIL')
    expect(drains({ ...two, disruptions: undefined })).toBe('PASS')
    const streams = { ...facts, preStopSeconds: 10, graceSeconds: 150, shutdownTimeoutSeconds: 120 }
    expect(streamsEnd(streams)).toBe('PASS')
    expect(streamsEnd({ ...streams, graceSeconds: 30 })).toBe('FAIL')
    expect(streamsEnd({ ...streams, graceSeconds: 60 })).toBeUndefined()
  })
})

describe('what came, against what must follow', () => {
  it.each([
    ['PASS', 'PASS', 'agree'],
    ['PASS', 'FAIL', 'false FAIL'],
    ['PASS', 'INVALID', 'undecided'],
    ['FAIL', 'PASS', 'false PASS'],
    ['FAIL', 'REFUSED', 'agree'],
    ['FAIL', 'SKIPPED', 'undecided'],
    ['FAIL', 'CRASH', 'undecided'],
    ['untriable', 'CRASH', 'undecided'],
    ['untriable', 'INVALID', 'apart'],
    ['untriable', 'PASS', 'false PASS'],
  ] as const)('%s, %s: %s', (expected, outcome, agreement) => {
    expect(compare(expected, { outcome, because: 'a-cause' })).toBe(agreement)
  })

  it('takes a FAIL without a cause for none', () => {
    expect(compare('FAIL', { outcome: 'FAIL', because: '' })).toBe('undecided')
  })
})
