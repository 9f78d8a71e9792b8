import { availableParallelism } from 'node:os'
import { TrialPool } from '../../harness/pool/pool.ts'
import { mattersTo, nodesText } from '../../harness/uncertain-inputs.ts'
import type { Verdict } from '../../harness/verdict/decide.ts'
import { verify as verifyAll } from '../../harness/verify.ts'
import { VERSION } from '../../harness/version.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { scenarios as all } from '../../scenarios/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { load, nothingToJudge, positiveInteger } from '../load.ts'
import { replayLine } from '../replay.ts'
import { type Format, reporterFor } from '../reporters/index.ts'
import type { Totals } from '../reporters/reporter.ts'
import { selectScenarios, selectTargets } from '../select.ts'

export interface VerifyOptions {
  only?: string[]
  target?: string[]
  seeds: string
  output: Format
  json?: boolean
  config?: string
  lag: string
  jobs?: string
  quiet?: boolean
}

/** Judges every scenario that fits on every inference server of the manifests. */
export async function verify(paths: readonly string[], options: VerifyOptions): Promise<number> {
  const seeds = Array.from({ length: positiveInteger(options.seeds, '--seeds') }, (_, i) => i + 1)
  const scenarios = selectScenarios(all, options.only)
  const jobs = options.jobs === undefined ? availableParallelism() : positiveInteger(options.jobs, '--jobs')
  const { platform, judgeables, inputs, unmodelled, lag } = await load(paths, options)
  if (judgeables.length === 0 && unmodelled.length === 0) throw nothingToJudge(platform)
  const chosen = selectTargets(judgeables, options.target)
  const reporter = await reporterFor(options.json ? 'json' : options.output, { quiet: options.quiet ?? false })
  const assumed = new Map(
    chosen
      .flatMap((j) => j.uncertain.filter((input) => input.origin === 'assumed' && mattersTo(input, ...scenarios)))
      .map((input) => [`${input.name} ${input.value}`, input]),
  )
  reporter.begin({
    version: VERSION,
    name: platform.name,
    tier: sim.name,
    seeds,
    servers: chosen.map((j) => j.key),
    nodes: nodesText(inputs.nodes.value),
    scenarios: scenarios.map((s) => s.slug),
    assumed: [...assumed.values()],
    notes: [
      ...new Set(chosen.flatMap((j) => j.taken)),
      ...platform.notes.map(({ file, message }) => `${file}: ${message}`),
    ],
  })
  await using pool = jobs > 1 ? new TrialPool({ platform, lag, size: jobs, now: () => performance.now() }) : undefined
  const startedAt = performance.now()
  let verdictAt = startedAt
  const totals: { -readonly [K in keyof Totals]: number } = {
    passed: 0,
    failed: 0,
    invalid: 0,
    skipped: 0,
    unstable: 0,
    tookMs: 0,
  }
  const take = (verdict: Verdict) => {
    totals[COUNTED[verdict.outcome]]++
    const tookMs = pool?.tookMs(verdict.scenario, verdict.subject) ?? performance.now() - verdictAt
    reporter.verdict(verdict, tookMs)
    verdictAt = performance.now()
  }
  for (const invalid of unmodelled)
    take({
      scenario: 'all scenarios',
      subject: invalid.what.split(' ')[0]!,
      outcome: 'INVALID',
      trials: [],
      invalid: [invalid],
    })
  for await (const verdict of verifyAll({
    judgeables: chosen,
    scenarios,
    tier: sim,
    seeds,
    ...(pool ? { attempt: pool.attempt, ahead: jobs } : {}),
    trying: (scenario, judgeable) => reporter.trying?.(scenario.slug, judgeable.key),
    replay: (scenario, judgeable, seed, at) =>
      replayLine({
        scenario: scenario.slug,
        paths,
        config: options.config,
        lag: options.lag,
        seed,
        at,
        target: judgeables.length > 1 ? judgeable.key : undefined,
      }),
  }))
    take(verdict)
  totals.tookMs = performance.now() - startedAt
  reporter.end(totals)
  return exitCode(totals)
}

const COUNTED = {
  PASS: 'passed',
  FAIL: 'failed',
  INVALID: 'invalid',
  SKIPPED: 'skipped',
  UNSTABLE: 'unstable',
} as const

/** A failure outweighs doubt; nothing judged at all is no pass. */
function exitCode({ passed, failed, invalid, unstable }: Totals): number {
  if (failed > 0) return exitCodes.fail
  if (invalid + unstable > 0) return exitCodes.undecided
  return passed > 0 ? exitCodes.pass : exitCodes.nothingSelected
}
