import { writeFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { expectedSeconds, measureLag, TooFewSamplesError } from '../../harness/bench/lag/measure.ts'
import { howMeasured, profileOf, sourceText } from '../../harness/bench/lag/measured-profile.ts'
import { lagProfileText } from '../../harness/lag/profile-file.ts'
import { formatDuration, seconds } from '../../sandbox/world/time.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { positiveInteger } from '../positive-integer.ts'

export interface FitLagOptions {
  readonly rounds: string
  readonly seconds: string
  readonly write?: string
}

/** Measures a real control plane on this machine and prints what it found; writes it as a lag profile where a file is named. */
export async function fitLag(options: FitLagOptions): Promise<number> {
  const how = {
    rounds: positiveInteger(options.rounds, '--rounds'),
    seconds: positiveInteger(options.seconds, '--seconds'),
  }
  process.stderr.write(
    `a real control plane is measured: this takes about ${formatDuration(seconds(expectedSeconds(how)))}\n`,
  )
  const measured = await measureLag({ ...how, say: (line) => process.stdout.write(`${line}\n`) }).catch(told)
  const { write } = options
  if (write === undefined) return exitCodes.pass
  const isSource = extname(write) === '.ts'
  const name = basename(write, extname(write))
  writeFileSync(
    write,
    isSource ? sourceText(measured) : lagProfileText(profileOf(measured, name), howMeasured(measured)),
  )
  process.stderr.write(
    isSource
      ? `written: ${write} (format it: npx biome format --write ${write})\n`
      : `written: ${write} → npx seatrial verify --lag ${write}\n`,
  )
  return exitCodes.pass
}

function told(error: unknown): never {
  if (!(error instanceof TooFewSamplesError)) throw error
  const fix = 'Stop what else runs on this machine, or measure longer: --seconds 60'
  throw new UsageError('TOO_FEW_SAMPLES', error.message, fix, exitCodes.unavailable)
}
