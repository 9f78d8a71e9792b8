import { ApiError } from '../../kube/errors.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { cleanUpOldSets } from './cleanup.ts'
import { maxUnavailableOf, newReplicasOf } from './fenceposts.ts'
import { syncRolloutStatus } from './progress.ts'
import { active, availableReplicas, byCreation, specReplicas } from './replica-counts.ts'
import { type Sets, syncSets } from './replica-sets.ts'
import { scaleReplicaSet } from './scale.ts'
import { isComplete } from './status.ts'
import type { Pass } from './working-copy.ts'

/** One step of a rolling update: grow the new set, or else shrink the old ones. Follows pkg/controller/deployment/rolling.go. */
export function* rollOutRolling(pass: Pass, owned: readonly o.ReplicaSet[]): Task {
  const sets = yield* syncSets(pass, owned, true)
  const current = sets.current!
  const moved = (yield* growNew(pass, sets, current)) || (yield* shrinkOld(pass, sets, current))
  if (!moved && isComplete(pass.d, pass.d.status)) yield* cleanUpOldSets(pass, sets.old)
  yield* syncRolloutStatus(pass, sets)
}

function* growNew(pass: Pass, { all }: Sets, current: o.ReplicaSet): Task<boolean> {
  const [wanted, has] = [pass.d.spec.replicas, current.spec.replicas]
  if (has === wanted) return false
  const replicas = has > wanted ? wanted : newReplicasOf(pass.d, all, has)
  const { scaled } = yield* scaleReplicaSet(pass, current, replicas)
  return scaled
}

function* shrinkOld(pass: Pass, { all, old }: Sets, current: o.ReplicaSet): Task<boolean> {
  const { d } = pass
  const withPods = active(old).sort(byCreation)
  if (withPods.length === 0) return false
  const budget = scaleDownBudget(d, all, current)
  if (budget <= 0) return false
  try {
    const { sets, removed } = yield* removeUnhealthy(pass, withPods, budget)
    return removed + (yield* removeAvailable(pass, sets, current)) > 0
  } catch (error) {
    // upstream gives up without an error here, and looks again at the next event
    if (error instanceof ApiError || error instanceof StaleStatusError) return false
    throw error
  }
}

/** A set still counts more available pods than it should have: its last scale-down has not come through. */
class StaleStatusError extends Error {
  constructor({ metadata, spec, status }: o.ReplicaSet) {
    super(`${metadata.name} has ${status.availableReplicas} available replicas of ${spec.replicas}`)
    this.name = 'StaleStatusError'
  }
}

/** How many old pods may go, when new ones that are not available are taken as missing already. */
export function scaleDownBudget(d: o.Deployment, all: readonly o.ReplicaSet[], current: o.ReplicaSet): number {
  const minAvailable = d.spec.replicas - maxUnavailableOf(d)
  const newUnavailable = current.spec.replicas - (current.status.availableReplicas ?? 0)
  return specReplicas(all) - minAvailable - newUnavailable
}

/** Old pods that are not available go first: they help nobody. Follows cleanupUnhealthyReplicas. */
function* removeUnhealthy(
  pass: Pass,
  old: readonly o.ReplicaSet[],
  limit: number,
): Task<{ sets: o.ReplicaSet[]; removed: number }> {
  const sets: o.ReplicaSet[] = []
  let removed = 0
  for (const rs of old) {
    const unhealthy = rs.spec.replicas - (rs.status.availableReplicas ?? 0)
    const count = Math.min(limit - removed, unhealthy)
    if (removed >= limit || rs.spec.replicas === 0 || unhealthy === 0) {
      sets.push(rs)
      continue
    }
    if (count < 0) throw new StaleStatusError(rs)
    sets.push((yield* scaleReplicaSet(pass, rs, rs.spec.replicas - count)).rs)
    removed += count
  }
  return { sets, removed }
}

/** Then as many as are available beyond the least. Follows scaleDownOldReplicaSetsForRollingUpdate. */
function* removeAvailable(pass: Pass, old: readonly o.ReplicaSet[], current: o.ReplicaSet): Task<number> {
  const { d } = pass
  const surplus = availableReplicas([...old, current]) - (d.spec.replicas - maxUnavailableOf(d))
  let removed = 0
  for (const rs of [...old].sort(byCreation)) {
    if (removed >= surplus) break
    const count = Math.min(rs.spec.replicas, surplus - removed)
    if (count === 0) continue
    yield* scaleReplicaSet(pass, rs, rs.spec.replicas - count)
    removed += count
  }
  return removed
}
