import { lagProfiles } from '../../../sandbox/kube/lag.ts'
import { randomStream } from '../../../sandbox/world/random.ts'
import { minutes, seconds } from '../../../sandbox/world/time.ts'
import { chanceOf } from '../chance.ts'
import { type FaultKind, faultKinds, type Plan, type PlannedFault } from '../platform.ts'

const FAULTS_FROM = minutes(4)
const FAULTS_FOR = minutes(8)
/** Faults last up to this long: longer than pods tolerate a node that is not ready. */
const LASTS_MAX = minutes(7)

/** What sends pods away, and what makes it harder for budgets to keep count. */
const DISRUPTIONS: readonly FaultKind[] = [
  ...(['drain', 'drain-many', 'evict-burst', 'evict', 'preempt', 'budget-change', 'node-reclaim-told'] as const),
  ...(['rollout', 'rollout-node-loss', 'scale', 'pod-delete', 'process-kill'] as const),
]

/** What happens to a platform under one seed. Each seed switches whole kinds of faults off, so that others can go deep. */
export function randomPlan(seed: number, platform: number): Plan {
  const chance = chanceOf(randomStream(seed, `faults/${platform}`))
  const share = chance.oneOf([0.1, 0.3, 0.6])
  const disruptive = chance.yes(0.4)
  const kinds = disruptive ? DISRUPTIONS.filter(() => chance.yes(0.7)) : faultKinds.filter(() => chance.yes(share))
  const count = kinds.length === 0 ? 0 : chance.whole(1, disruptive ? 14 : 8)
  const faults = Array.from(
    { length: count },
    (): PlannedFault => ({
      kind: chance.oneOf(kinds),
      atUs: Math.round(FAULTS_FROM + chance.between(0, 1) * FAULTS_FOR),
      forUs: Math.round(chance.yes(0.5) ? seconds(chance.between(1, 60)) : chance.between(0.1, 1) * LASTS_MAX),
      which: chance.between(0, 1),
      strength: chance.between(0, 1),
    }),
  ).sort((a, b) => a.atUs - b.atUs)
  const lag = chance.yes(0.7) ? lagProfiles[0]! : chance.oneOf(lagProfiles)
  const healedAtUs = faults.reduce((last, { atUs, forUs }) => Math.max(last, atUs + forUs), FAULTS_FROM)
  return { faults, lag: lag.name, healedAtUs }
}
