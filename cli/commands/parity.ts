import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison } from '../../harness/parity/comparison.ts'
import { keepResult, keptResults, resultFile } from '../../harness/parity/results.ts'
import {
  compareCases,
  expectedTotalUs,
  type ParityCase,
  type ParityOptions,
  type ParitySide,
  type Prepared,
  prepareCase,
} from '../../harness/parity/trials.ts'
import { formatDuration } from '../../sandbox/world/time.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { closeOnInterrupt } from '../interrupt.ts'
import { lagNamed } from '../lag.ts'
import { casesOf, sampleCases, shortestOf, sidesOf, whatIsAsked } from '../parity-cases.ts'
import { ParityProgress } from '../parity-progress.ts'
import { plural } from '../plural.ts'
import { positiveInteger } from '../positive-integer.ts'
import { jsonText } from '../reporters/json-text.ts'
import { comparisonLines, totalLines } from '../reporters/parity.ts'

export interface ParityCommandOptions {
  tiers: string
  samples: 'one' | 'all'
  seed: string
  jobs?: string
  lag: string
  output: 'terminal' | 'json'
  json?: boolean
  config?: string
  render?: boolean
  /** A folder that keeps each result. */
  keep?: string
  /** Only what that folder does not keep yet. */
  missing?: boolean
  /** A folder for the journals of both sides. */
  journals?: string
}

/** Seeds of the first tier besides the one compared: what differs among them is chance. */
const SEEDS_OF_CHANCE = 9

/** Runs the same trials on two tiers and says where they decide differently. */
export async function parity(words: readonly string[], options: ParityCommandOptions): Promise<number> {
  if (options.missing && !options.keep)
    throw new UsageError('BAD_OPTION', '--missing goes with --keep', 'Name the folder that keeps the results.')
  const what = whatIsAsked(words)
  const asked = {
    seed: positiveInteger(options.seed, '--seed'),
    seedsOfChance: SEEDS_OF_CHANCE,
    jobs: options.jobs === undefined ? 1 : positiveInteger(options.jobs, '--jobs'),
  }
  using interrupt = closeOnInterrupt()
  const sides = interrupt.watching(await sidesOf(options.tiers, lagNamed(options.lag)))
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const progress = new ParityProgress(say)
  const plan: ParityOptions = {
    sides,
    ...asked,
    events: { ...progress.events, recorded: journalsTo(options.journals) },
  }
  const cases = notKept(await chosen(what, options, plan), options)
  if (cases.length === 0)
    throw new UsageError(
      'NOTHING_TO_COMPARE',
      'no scenario is left to compare',
      '«seatrial plan» says which apply.',
      exitCodes.nothingSelected,
    )
  const prepared: Prepared[] = []
  for (const of of cases) {
    prepared.push(await prepareCase(of, plan))
    progress.prepared(prepared.length, cases.length, sides)
  }
  tellHowLong(prepared, plan, say)
  const asJson = options.json || options.output === 'json'
  const compared: Comparison[] = []
  let failed = 0
  progress.start(prepared, plan)
  for await (const result of compareCases(prepared, plan)) {
    progress.done()
    if ('error' in result) {
      failed++
      say(`${result.of.scenario.slug} ${result.of.sample} failed on ${result.error.tier}: ${result.error.cause.stack}`)
      continue
    }
    compared.push(result.comparison)
    if (options.keep) keepResult(options.keep, result.comparison)
    if (!asJson) for (const line of comparisonLines(result.comparison)) process.stdout.write(`${line}\n`)
  }
  progress.stop()
  if (asJson) process.stdout.write(`${jsonText({ schemaVersion: 1, comparisons: compared, failed })}\n`)
  else for (const line of totalLines(compared, failed)) process.stdout.write(`${line}\n`)
  return exitCodeOf(compared, failed)
}

/** Verdicts that differ are a failure; where one tier has none, or a trial broke down, nothing is decided. */
export function exitCodeOf(compared: readonly Comparison[], failed: number): number {
  if (compared.some(({ verdict }) => verdict === 'differs')) return exitCodes.fail
  return failed > 0 || compared.some(({ verdict }) => verdict === 'undecided') ? exitCodes.undecided : exitCodes.pass
}

async function chosen(
  what: ReturnType<typeof whatIsAsked>,
  options: ParityCommandOptions,
  plan: ParityOptions,
): Promise<ParityCase[]> {
  if (what.paths.length > 0) return casesOf(what, options)
  const samples = await sampleCases(what, options.samples)
  return options.samples === 'all' || what.samples.length > 0 ? samples : shortestOf(samples, plan)
}

function notKept(cases: readonly ParityCase[], { keep, missing }: ParityCommandOptions): readonly ParityCase[] {
  if (!missing || keep === undefined) return cases
  const kept = new Set(keptResults(keep).map(resultFile))
  return cases.filter(({ scenario, sample }) => !kept.has(resultFile({ scenario: scenario.slug, sample })))
}

function tellHowLong(prepared: readonly Prepared[], { sides, jobs }: ParityOptions, say: (line: string) => void): void {
  const walled = sides.filter(({ virtual }) => !virtual)
  if (walled.length === 0) return
  const lengths = prepared.map(({ expectedUs }) => expectedUs * walled.length)
  if (lengths.every((length) => length === 0)) return
  const tiers = walled.map(({ label }) => label).join(' and ')
  const total = formatDuration(expectedTotalUs(lengths, jobs))
  say(
    `${tiers} will take about ${total}: ${plural(prepared.length, 'trial')}, ${jobs} at once, the longest ${formatDuration(Math.max(...lengths))}`,
  )
}

/** Writes both journals of every trial into a folder. */
function journalsTo(folder: string | undefined): NonNullable<ParityOptions['events']>['recorded'] {
  if (folder === undefined) return undefined
  return ({ scenario, sample }, side: ParitySide, { header, journal }) => {
    mkdirSync(folder, { recursive: true })
    const name = `${resultFile({ scenario: scenario.slug, sample }).replace(/json$/, '')}${side.label.replace(':', '-')}.jsonl`
    writeFileSync(join(folder, name), journal.sealed(header).text)
  }
}
