import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Verdict } from '../verdict/decide.ts'
import { diffRuns } from './diff.ts'
import { type Run, type RunContent, runOf } from './run.ts'
import { RUNS_KEPT, type RunError, RunStore } from './store.ts'

const verdict = (scenario: string, outcome: Verdict['outcome'], more: Partial<Verdict> = {}): Verdict => ({
  scenario,
  subject: 'default/chat',
  outcome,
  trials: [],
  invalid: [],
  ...more,
})

const finding = (cause: string): Partial<Verdict> => ({
  finding: { cause, what: `${cause} happened`, at: '1s', evidence: [], triedInVain: [], replay: '' },
})

const margin = (holdsAt: number): Partial<Verdict> => ({
  margin: { input: 'loadTime', holdsAt, triedTo: 8, probes: [], value: '540 s' },
})

const content = (verdicts: readonly Verdict[], more: Partial<RunContent> = {}): RunContent => ({
  overview: {
    version: '1',
    name: 'p',
    tier: 'sim',
    seeds: [1],
    servers: [],
    nodes: '',
    scenarios: [],
    assumed: [],
    notes: [],
  },
  paths: ['.'],
  verdicts: verdicts.map((one) => ({ verdict: one, tookMs: Math.random() })),
  waivers: [],
  totals: { passed: 0, failed: 0, invalid: 0, skipped: 0, unstable: 0, waived: 0, tookMs: Math.random() },
  inputs: [],
  manifests: [],
  ...more,
})

const run = (...args: Parameters<typeof content>): Run => runOf(content(...args), '2026-11-21T10:00:00.000Z')

it('the same trials have the same id, however long they took; others have others', () => {
  const id = (outcome: Verdict['outcome'], at = '2026-11-21T10:00:00.000Z') =>
    runOf(content([verdict('a', outcome)]), at).id
  expect(id('PASS')).toBe(id('PASS', '2027-01-01T00:00:00.000Z'))
  expect(id('PASS')).not.toBe(id('FAIL'))
  expect(id('PASS')).toMatch(/^[0-9a-f]{12}$/)
})

describe('a store', () => {
  let cwd: string
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'seatrial-'))
  })
  afterEach(() => rmSync(cwd, { recursive: true, force: true }))

  /** Saved a while ago, so that the order is known. */
  const save = (store: RunStore, name: string, secondsAgo: number): Run => {
    const one = run([verdict(name, 'PASS')])
    const file = store.save(one)
    utimesSync(file, 1e9 - secondsAgo, 1e9 - secondsAgo)
    return one
  }

  it('writes into .seatrial/, which version control is told to leave out, and nowhere else', () => {
    const store = new RunStore(cwd)
    const saved = save(store, 'a', 0)
    expect(readdirSync(cwd)).toEqual(['.seatrial'])
    expect(readFileSync(join(cwd, '.seatrial/.gitignore'), 'utf8')).toBe('*\n')
    expect(readdirSync(join(cwd, '.seatrial/runs', saved.id))).toEqual(['result.json'])
    expect(store.load(saved.id)).toEqual(JSON.parse(JSON.stringify(saved)))
  })

  it('finds runs by age, by the begin of an id and by path', () => {
    const store = new RunStore(cwd)
    const [old, young] = [save(store, 'a', 20), save(store, 'b', 10)]
    expect(store.load('latest').id).toBe(young.id)
    expect(store.load('previous').id).toBe(old.id)
    expect(store.load(old.id.slice(0, 8)).id).toBe(old.id)
    expect(store.load(`.seatrial/runs/${old.id}`).id).toBe(old.id)
  })

  it(`keeps the newest ${RUNS_KEPT}`, () => {
    const store = new RunStore(cwd)
    const all = Array.from({ length: RUNS_KEPT + 3 }, (_, i) => save(store, `s${i}`, 100 - i))
    expect(store.list().map(({ id }) => id)).toEqual(
      all
        .slice(3)
        .reverse()
        .map(({ id }) => id),
    )
  })

  it.each([
    ['no run', 'latest', 'NO_RUN'],
    ['another name', 'nothing', 'NO_RUN'],
    ['text that is no JSON', 'torn.json', 'BAD_RUN'],
    ['a run of another version', 'later.json', 'BAD_RUN'],
  ])('says what is wrong with %s', (_, name, code) => {
    writeFileSync(join(cwd, 'torn.json'), '{"schemaVersion": 1, "verd')
    writeFileSync(join(cwd, 'later.json'), '{"schemaVersion": 99}')
    expect(() => new RunStore(cwd).load(name)).toThrow(expect.objectContaining({ code }) as RunError)
  })
})

describe('a comparison', () => {
  const changes = (before: Verdict[], after: Verdict[]) => diffRuns(run(before), run(after))

  it.each([
    ['PASS', 'FAIL', true],
    ['FAIL', 'PASS', false],
    ['PASS', 'INVALID', true],
    ['INVALID', 'FAIL', true],
    ['FAIL', 'INVALID', false],
    ['FAIL', 'WAIVED', false],
    ['WAIVED', 'FAIL', true],
    ['PASS', 'SKIPPED', false],
  ] as const)('from %s to %s: worse is %s', (a, b, worse) => {
    const diff = changes([verdict('s', a)], [verdict('s', b)])
    expect([diff.worse, diff.verdicts.length]).toEqual([worse, 1])
  })

  it('nothing changed', () => {
    expect(changes([verdict('s', 'FAIL', finding('a'))], [verdict('s', 'FAIL', finding('a'))])).toMatchObject({
      verdicts: [],
      findings: [],
      worse: false,
    })
  })

  it('another finding of the same verdict is new, and the one before is fixed', () => {
    const diff = changes([verdict('s', 'FAIL', finding('a'))], [verdict('s', 'FAIL', finding('b'))])
    expect(diff.findings.map(({ change, cause }) => `${change} ${cause}`)).toEqual(['new b', 'fixed a'])
    expect(diff.worse).toBe(true)
  })

  it('a fix that is another one', () => {
    const fixed = (says: string, text?: string) => ({
      finding: {
        ...finding('a').finding!,
        fix: {
          says,
          outcome: 'PASS' as const,
          changes: text ? undefined : [{ path: 'spec.replicas', value: says }],
          ...(text ? { adds: [{ file: 'budget.yaml', text, objects: ['PodDisruptionBudget/a'] }] } : {}),
        },
      },
    })
    const of = (a: Partial<Verdict>, b: Partial<Verdict>) =>
      changes([verdict('s', 'FAIL', a)], [verdict('s', 'FAIL', b)]).fixes
    expect(of(fixed('x'), fixed('x'))).toEqual([])
    expect(of(fixed('x', 'one'), fixed('x', 'two'))).toEqual([
      {
        scenario: 's',
        subject: 'default/chat',
        before: 'x: budget.yaml (PodDisruptionBudget/a)',
        after: 'x: budget.yaml (PodDisruptionBudget/a)',
      },
    ])
    expect(of(fixed('x'), finding('a'))).toMatchObject([{ before: 'x' }])
  })

  it('margins that moved, beyond what they are found to', () => {
    const of = (a: number, b: number) => changes([verdict('s', 'PASS', margin(a))], [verdict('s', 'PASS', margin(b))])
    expect(of(2, 2.05)).toMatchObject({ margins: [], worse: false })
    expect(of(2, 1.5)).toMatchObject({ margins: [{ before: 2, after: 1.5, change: 'worse' }], worse: true })
    expect(of(2, 3)).toMatchObject({ margins: [{ change: 'better' }], worse: false })
  })

  it('what only one run tried', () => {
    expect(changes([verdict('old', 'PASS')], [verdict('new', 'FAIL')])).toMatchObject({
      verdicts: [
        { scenario: 'new', after: 'FAIL', change: 'added' },
        { scenario: 'old', before: 'PASS', change: 'removed' },
      ],
      worse: true,
    })
  })

  it('inputs and manifests that are others', () => {
    const input = (text: string, origin = 'given') => [{ key: 'k', name: 'load time', origin, text, value: text }]
    const file = (sha256: string) => [{ file: 'a.yaml', sha256 }]
    const before = run([], { inputs: input('540s', 'assumed'), manifests: file('1') })
    const after = run([], { inputs: input('600s'), manifests: [...file('2'), { file: 'b.yaml', sha256: '3' }] })
    expect(diffRuns(before, after)).toMatchObject({
      inputs: [{ name: 'load time', before: '540s (assumed)', after: '600s (given)' }],
      manifests: [
        { file: 'a.yaml', change: 'changed' },
        { file: 'b.yaml', change: 'added' },
      ],
      worse: false,
    })
  })
})
