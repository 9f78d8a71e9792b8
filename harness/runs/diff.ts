import type { Verdict } from '../verdict/decide.ts'
import type { Fix } from '../verdict/fixes.ts'
import type { Outcome } from '../verdict/verdict.ts'
import type { RecordedInput, Run } from './run.ts'

/** What is different between two runs, the first being the older. */
export interface RunDiff {
  readonly schemaVersion: 1
  readonly before: string
  readonly after: string
  readonly verdicts: readonly VerdictChange[]
  readonly findings: readonly FindingChange[]
  /** Findings of the same cause that have another fix. */
  readonly fixes: readonly FixChange[]
  readonly margins: readonly MarginChange[]
  readonly inputs: readonly InputChange[]
  readonly manifests: readonly { readonly file: string; readonly change: 'changed' | 'added' | 'removed' }[]
  /** A verdict fell, a finding is new, or a margin shrank by more than a twentieth. */
  readonly worse: boolean
}

interface About {
  readonly scenario: string
  readonly subject: string
}

/** `added` and `removed`: only one of the two runs tried it. */
export interface VerdictChange extends About {
  readonly before?: Outcome
  readonly after?: Outcome
  readonly change: 'worse' | 'better' | 'added' | 'removed'
}

export interface FindingChange extends About {
  readonly change: 'new' | 'fixed'
  readonly cause: string
  readonly what: string
  readonly at?: string
}

/** What a fix says, and the files it adds; none where no fix is known. */
export interface FixChange extends About {
  readonly before?: string
  readonly after?: string
}

export interface MarginChange extends About {
  readonly input: string
  /** Times the input at which it still held. */
  readonly before: number
  readonly after: number
  readonly change: 'worse' | 'better'
}

export interface InputChange extends Pick<RecordedInput, 'key' | 'name'> {
  readonly before?: string
  readonly after?: string
}

const RANK: Readonly<Record<Outcome, number>> = { PASS: 0, SKIPPED: 0, WAIVED: 1, INVALID: 2, UNSTABLE: 3, FAIL: 4 }

/** Margins are found to a hundredth; less than this share is no news. */
const MARGIN_SHARE = 0.05

export function diffRuns(before: Run, after: Run): RunDiff {
  const pairs = paired(before, after)
  const verdicts = pairs.flatMap(verdictChange)
  const findings = pairs.flatMap(findingChanges)
  const fixes = pairs.flatMap(fixChange)
  const margins = pairs.flatMap(marginChange)
  return {
    schemaVersion: 1,
    before: before.id,
    after: after.id,
    verdicts,
    findings,
    fixes,
    margins,
    inputs: inputChanges(before, after),
    manifests: manifestChanges(before, after),
    worse:
      verdicts.some(({ change, after }) => change === 'worse' || (change === 'added' && RANK[after!] > RANK.WAIVED)) ||
      findings.some(({ change }) => change === 'new') ||
      margins.some(({ change }) => change === 'worse'),
  }
}

interface Pair extends About {
  readonly a?: Verdict | undefined
  readonly b?: Verdict | undefined
}

/** Verdicts of both runs about the same thing, in the order of the newer run. */
function paired(before: Run, after: Run): Pair[] {
  const key = ({ scenario, subject }: About) => `${subject} ${scenario}`
  const olds = new Map(before.verdicts.map(({ verdict }) => [key(verdict), verdict]))
  const news = after.verdicts.map(({ verdict: b }) => ({
    scenario: b.scenario,
    subject: b.subject,
    a: olds.get(key(b)),
    b,
  }))
  const there = new Set(news.map(key))
  const gone = before.verdicts
    .filter(({ verdict }) => !there.has(key(verdict)))
    .map(({ verdict: a }) => ({ scenario: a.scenario, subject: a.subject, a }))
  return [...news, ...gone]
}

function verdictChange({ scenario, subject, a, b }: Pair): VerdictChange[] {
  if (a?.outcome === b?.outcome) return []
  const change = !a ? 'added' : !b ? 'removed' : RANK[b.outcome] > RANK[a.outcome] ? 'worse' : 'better'
  return [
    {
      scenario,
      subject,
      ...(a ? { before: a.outcome } : {}),
      ...(b ? { after: b.outcome } : {}),
      change,
    },
  ]
}

/** A finding is the same while its cause is; what is waived is no news. */
function findingChanges({ scenario, subject, a, b }: Pair): FindingChange[] {
  const told = (verdict: Verdict, change: FindingChange['change']): FindingChange[] => {
    if (!verdict.finding) return []
    const { cause, what, source } = verdict.finding
    const at = source ? { at: `${source.file}:${source.line}:${source.column}` } : {}
    return [{ scenario, subject, change, cause, what, ...at }]
  }
  if (a?.finding?.cause === b?.finding?.cause) return []
  return [...(b && b.outcome !== 'WAIVED' ? told(b, 'new') : []), ...(a && b ? told(a, 'fixed') : [])]
}

function fixChange({ scenario, subject, a, b }: Pair): FixChange[] {
  if (!a?.finding || !b?.finding || a.finding.cause !== b.finding.cause) return []
  const [before, after] = [a.finding.fix, b.finding.fix]
  const { changes, moreNodes, adds } = before ?? {}
  const same =
    JSON.stringify([changes, moreNodes, adds]) === JSON.stringify([after?.changes, after?.moreNodes, after?.adds])
  if (same) return []
  const said = ({ says, adds = [] }: Fix) =>
    [says, ...adds.map(({ file, objects }) => `${file} (${objects.join(', ')})`)].join(': ')
  return [{ scenario, subject, ...(before ? { before: said(before) } : {}), ...(after ? { after: said(after) } : {}) }]
}

function marginChange({ scenario, subject, a, b }: Pair): MarginChange[] {
  if (!a?.margin || !b?.margin || a.margin.input !== b.margin.input) return []
  const [before, after] = [a.margin.holdsAt, b.margin.holdsAt]
  if (Math.abs(after - before) <= MARGIN_SHARE * before) return []
  return [{ scenario, subject, input: a.margin.input, before, after, change: after < before ? 'worse' : 'better' }]
}

function inputChanges(before: Run, after: Run): InputChange[] {
  const olds = new Map(before.inputs.map((input) => [input.key, input]))
  const news = new Map(after.inputs.map((input) => [input.key, input]))
  const said = (input: RecordedInput | undefined) => input && `${input.text} (${input.origin})`
  return [...new Set([...news.keys(), ...olds.keys()])].flatMap((key) => {
    const [a, b] = [olds.get(key), news.get(key)]
    if (a && b && a.origin === b.origin && JSON.stringify(a.value) === JSON.stringify(b.value)) return []
    const name = (b ?? a)!.name
    return [{ key, name, ...(a ? { before: said(a)! } : {}), ...(b ? { after: said(b)! } : {}) }]
  })
}

function manifestChanges(before: Run, after: Run): RunDiff['manifests'] {
  const olds = new Map(before.manifests.map(({ file, sha256 }) => [file, sha256]))
  const news = new Map(after.manifests.map(({ file, sha256 }) => [file, sha256]))
  return [...new Set([...news.keys(), ...olds.keys()])].flatMap((file) => {
    const [a, b] = [olds.get(file), news.get(file)]
    if (a === b) return []
    return [
      {
        file,
        change: a === undefined ? ('added' as const) : b === undefined ? ('removed' as const) : ('changed' as const),
      },
    ]
  })
}
