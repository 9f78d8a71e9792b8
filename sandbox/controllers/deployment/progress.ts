import { equal } from '../../journal/merge-patch.ts'
import { keyOf } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { fromRfc3339, seconds, type Us } from '../../world/time.ts'
import { findCondition, removeCondition, setCondition } from '../conditions.ts'
import type { Sets } from './replica-sets.ts'
import { deploymentStatus, isComplete } from './status.ts'
import { hasProgressDeadline, newCondition, type Pass, progressing, writeStatus } from './working-copy.ts'

// follows pkg/controller/deployment/progress.go

type Status = o.Deployment['status']

const AVAILABLE = 'NewReplicaSetAvailable'
const UPDATED = 'ReplicaSetUpdated'
const TIMED_OUT = 'ProgressDeadlineExceeded'

/** Brings the status up to date amid a rollout: complete, progressing, or past its deadline. */
export function* syncRolloutStatus(pass: Pass, sets: Sets): Task {
  const { d } = pass
  const status = deploymentStatus(pass, sets)
  judgeProgress(pass, status, sets.current)
  const failure = replicaFailure(sets)
  status.conditions = failure
    ? setCondition(status.conditions, failure)
    : removeCondition(status.conditions, 'ReplicaFailure')
  if (equal(d.status, status)) {
    requeueStuck(pass, status)
    return
  }
  d.status = status
  yield* writeStatus(pass)
}

/** Sets the Progressing condition of the new status. */
function judgeProgress(pass: Pass, status: Status, current: o.ReplicaSet | undefined): void {
  const { d } = pass
  if (!hasProgressDeadline(d)) {
    status.conditions = removeCondition(status.conditions, 'Progressing')
    return
  }
  const before = progressing(d.status)
  // a rollout that is over, looked at again
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === AVAILABLE) return
  const about = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${d.metadata.name}"`
  const set = (state: 'True' | 'False', reason: string, text: string) => {
    const condition = newCondition(pass, 'Progressing', state, reason, `${about} ${text}`)
    status.conditions = setCondition(status.conditions, condition)
  }
  if (isComplete(d, status)) set('True', AVAILABLE, 'has successfully progressed.')
  else if (isProgressing(d, status)) {
    const condition = newCondition(pass, 'Progressing', 'True', UPDATED, `${about} is progressing.`)
    const { lastTransitionTime } = before?.status === 'True' ? before : condition
    // the same reason again still moves lastUpdateTime: the deadline counts from the last progress
    status.conditions = [...removeCondition(status.conditions, 'Progressing'), { ...condition, lastTransitionTime }]
  } else if (isTimedOut(d, status, pass.context.now)) set('False', TIMED_OUT, 'has timed out progressing.')
}

/** More new pods, fewer old ones, more ready or more available than before. Follows DeploymentProgressing. */
export function isProgressing({ status: before }: o.Deployment, status: Status): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: Status) => replicas - updatedReplicas
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

// follows DeploymentTimedOut in pkg/controller/deployment/util/deployment_util.go
export function isTimedOut({ spec }: o.Deployment, status: Status, now: Us): boolean {
  const condition = progressing(status)
  if (!condition || condition.reason === AVAILABLE) return false
  if (condition.reason === TIMED_OUT) return true
  return fromRfc3339(condition.lastUpdateTime ?? '') + seconds(spec.progressDeadlineSeconds) < now
}

/** A failure to make pods, of the new set before the old ones. Follows getReplicaFailures. */
function replicaFailure({ current, all }: Sets): o.Condition | undefined {
  for (const rs of current ? [current, ...all] : all) {
    const condition = findCondition(rs.status.conditions, 'ReplicaFailure')
    if (!condition) continue
    const { type, status, reason, message, lastTransitionTime } = condition
    return { type, status, reason, message, lastTransitionTime, lastUpdateTime: lastTransitionTime }
  }
  return undefined
}

/** Looks again when the deadline will have passed. Follows requeueStuckDeployment. */
function requeueStuck({ d, context }: Pass, status: Status): void {
  const condition = progressing(d.status)
  if (!hasProgressDeadline(d) || !condition) return
  if (isComplete(d, status) || condition.reason === TIMED_OUT) return
  const { now, queue } = context
  const after = fromRfc3339(condition.lastUpdateTime ?? '') + seconds(d.spec.progressDeadlineSeconds) - now
  if (!(after >= seconds(1))) queue.addRateLimited(keyOf(d))
  else queue.addAfter(keyOf(d), after + seconds(1))
}
