import type { Tier } from '../sandbox/tiers/tier.ts'
import { exitCodes } from './exit-codes.ts'
import { UsageError } from './failure.ts'

/** What each tier is loaded by: nothing of a tier that is not asked for. */
const TIERS: Readonly<Record<string, () => Promise<Tier>>> = {
  sim: async () => (await import('../sandbox/tiers/sim/sim.ts')).sim,
  local: async () => (await import('../sandbox/tiers/local/local.ts')).local,
}

/** Leaves nothing behind however it ends. */
const IN_ONE_PROCESS = 'sim'

export const tierNames: readonly string[] = Object.keys(TIERS)

/** A tier to run trials on: as `tierNamed`. What killed runs left behind on it is removed first, and told on stderr. */
export async function tierForTrials(name: string): Promise<Tier> {
  const tier = await tierNamed(name)
  if (name !== IN_ONE_PROCESS) (await import('./sandboxes/leftovers.ts')).removeLeftovers()
  return tier
}

/** A tier that can be used here and now. Throws a UsageError for one that nobody knows, or that lacks something on this machine. */
export async function tierNamed(name: string): Promise<Tier> {
  const tier = await TIERS[name]?.()
  if (!tier) throw new UsageError('UNKNOWN_TIER', `there is no tier «${name}»`, `There are: ${tierNames.join(', ')}.`)
  const missing = await tier.available()
  if (missing.length === 0) return tier
  throw new UsageError(
    'TIER_UNAVAILABLE',
    `tier ${name} cannot run here: ${missing.map(({ what }) => what).join('; ')}`,
    missing.map(({ fix }) => fix).join(' '),
    exitCodes.unavailable,
  )
}
