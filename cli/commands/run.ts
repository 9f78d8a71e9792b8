import { writeFile } from 'node:fs/promises'
import { runTrial } from '../../harness/trial.ts'
import type { TrialRecord } from '../../harness/trial-spec.ts'
import { VERSION } from '../../harness/version.ts'
import { parseDuration } from '../../sandbox/world/time.ts'
import { scenarios as all } from '../../scenarios/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { closeOnInterrupt } from '../interrupt.ts'
import { load, nothingToJudge } from '../load.ts'
import { positiveInteger } from '../positive-integer.ts'
import { jsonText } from '../reporters/json-text.ts'
import { shown } from '../reporters/shown.ts'
import { timelineLines } from '../reporters/timeline.ts'
import { trialLines } from '../reporters/trial.ts'
import { selectScenarios, selectTarget } from '../select.ts'
import { tierForTrials } from '../tiers.ts'

export interface RunOptions {
  target?: string
  seed: string
  at?: string
  journal?: string
  output: 'terminal' | 'json'
  json?: boolean
  config?: string
  lag: string
  tier: string
}

/** Runs one trial and shows how it went: what the verdict of `verify` rests on. */
export async function run(slug: string, paths: readonly string[], options: RunOptions): Promise<number> {
  const scenario = selectScenarios(all, [slug])[0]!
  const seed = positiveInteger(options.seed, '--seed')
  const around = options.at === undefined ? undefined : momentOf(options.at)
  using interrupt = closeOnInterrupt()
  const tier = interrupt.closing(await tierForTrials(options.tier))
  const { platform, judgeables } = await load(paths, { ...options, tier })
  if (judgeables.length === 0) throw nothingToJudge(platform)
  const judgeable = selectTarget(judgeables, options.target)
  const unfit = judgeable.unfitFor(scenario)
  const blockers = judgeable.blockersFor(scenario)
  if (unfit || blockers.length > 0) {
    for (const { code, what, fix } of shown(blockers)) process.stderr.write(`${code} ${what}\n    ${fix}\n`)
    if (unfit) process.stderr.write(`${slug} does not apply to ${shown(judgeable.key)}: ${shown(unfit)}\n`)
    return unfit ? exitCodes.nothingSelected : exitCodes.undecided
  }
  let record: TrialRecord | undefined
  const result = await runTrial({
    scenario: judgeable.withParameters(scenario),
    setup: judgeable.prepare({}),
    tier,
    seed,
    onRecord: (whole) => {
      record = whole
    },
  })
  if (options.journal && record)
    await writeFile(options.journal, [...record.journal.lines(record.header)].map((line) => `${line}\n`).join(''))
  if (options.json || options.output === 'json')
    process.stdout.write(`${jsonText({ schemaVersion: 1, version: VERSION, result })}\n`)
  else {
    if (record)
      for (const line of timelineLines(record.journal.records, { around, subject: judgeable.key }))
        process.stdout.write(`${line}\n`)
    for (const line of trialLines(shown(result))) process.stdout.write(`${line}\n`)
  }
  return {
    PASS: exitCodes.pass,
    FAIL: exitCodes.fail,
    INVALID: exitCodes.undecided,
    SKIPPED: exitCodes.nothingSelected,
  }[result.outcome]
}

function momentOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new UsageError('BAD_OPTION', `--at: ${(error as Error).message}`, 'For example: --at 2m04s')
  }
}
