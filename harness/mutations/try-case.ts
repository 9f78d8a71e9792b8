import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import { PlatformErrors } from '../platform/errors.ts'
import { loadPlatform } from '../platform/load.ts'
import type { Scenario } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { brokenIn, type Outcome } from '../verdict/verdict.ts'
import type { Beside } from './cases.ts'
import type { Files } from './edit.ts'

/** What came of a platform: a verdict, or that reading it ended with an error that names the place. */
export interface Got {
  readonly outcome: Outcome | 'REFUSED' | 'CRASH'
  /** The cause, the code of what is invalid, or the message. */
  readonly because: string
}

/** One seed, and no corner of what is assumed: does the change alone turn the verdict? */
export async function tryCase(files: Files, scenario: Scenario, beside: Beside = {}): Promise<Got> {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
  try {
    for (const [name, text] of Object.entries({ ...beside, ...files })) writeFileSync(join(folder, name), text)
    return await judged(folder, scenario)
  } catch (error) {
    if (error instanceof PlatformErrors) return { outcome: 'REFUSED', because: firstLine(error.message) }
    return { outcome: 'CRASH', because: firstLine((error as Error).stack ?? String(error)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function judged(folder: string, given: Scenario): Promise<Got> {
  const platform = await loadPlatform({ paths: ['.'], cwd: folder })
  const [judgeable] = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables
  if (!judgeable) return { outcome: 'SKIPPED', because: 'no inference server' }
  const scenario = judgeable.withParameters(given)
  const unfit = judgeable.unfitFor(scenario)
  if (unfit) return { outcome: 'SKIPPED', because: unfit }
  const [blocker] = judgeable.blockersFor(scenario)
  if (blocker) return { outcome: 'INVALID', because: `${blocker.code}: ${blocker.what}` }
  const result = await runTrial({ scenario, setup: judgeable.prepare({}), tier: sim, seed: 1 })
  const doubt = judgeable.doubtOf(result) ?? result.invalid[0]
  if (doubt) return { outcome: 'INVALID', because: `${doubt.code}: ${doubt.what}` }
  return { outcome: result.outcome, because: brokenIn(result)[0]?.cause ?? result.skipped ?? '' }
}

const firstLine = (text: string): string => text.split('\n')[0]!
