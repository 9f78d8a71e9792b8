import { equal } from '../journal/merge-patch.ts'
import { ApiError } from '../kube/errors.ts'
import { keyOf, ReplicaSet } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { isAvailable } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import { findCondition, removeCondition, setCondition } from './conditions.ts'
import { factsOf, labelTest } from './pod-facts.ts'

/** What a ReplicaSet's status follows from. */
interface Observed {
  readonly active: readonly o.Pod[]
  readonly terminating: readonly o.Pod[]
  /** Why pods could not be made or deleted, if so. */
  readonly failure: ApiError | undefined
  readonly now: Us
}

/** Follows calculateStatus in pkg/controller/replicaset/replica_set_utils.go, with DeploymentReplicaSetTerminatingReplicas on. */
export function replicaSetStatus(rs: o.ReplicaSet, observed: Observed): o.ReplicaSet['status'] {
  const { active, now } = observed
  const { minReadySeconds = 0, template } = rs.spec
  const hasAllLabels = labelTest((labels = {}) => hasAll(labels, template.metadata.labels ?? {}))
  let [labelled, ready, available] = [0, 0, 0]
  for (const pod of active) {
    if (hasAllLabels(pod)) labelled++
    if (!factsOf(pod).ready) continue
    ready++
    if (minReadySeconds === 0 || isAvailable(pod, minReadySeconds, now)) available++
  }
  const conditions = conditionsOf(rs, observed)
  return {
    replicas: active.length,
    fullyLabeledReplicas: labelled,
    readyReplicas: ready,
    availableReplicas: available,
    terminatingReplicas: observed.terminating.length,
    observedGeneration: rs.metadata.generation,
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

/** Writes a status that differs, with one retry on a fresh copy. Follows updateReplicaSetStatus. */
export function* writeReplicaSetStatus(
  kube: Kube,
  rs: o.ReplicaSet,
  status: o.ReplicaSet['status'],
): Task<o.ReplicaSet> {
  if (equal(rs.status, status)) return rs
  try {
    return yield* kube.updateStatus(ReplicaSet, { ...rs, status })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const fresh = yield* kube.read(ReplicaSet, keyOf(rs))
    return yield* kube.updateStatus(ReplicaSet, { ...fresh, status })
  }
}

function conditionsOf(rs: o.ReplicaSet, { active, failure, now }: Observed): o.Condition[] {
  const conditions = rs.status.conditions ?? []
  const failed = findCondition(conditions, 'ReplicaFailure')
  if (!failure) return failed ? removeCondition(conditions, 'ReplicaFailure') : conditions
  if (failed) return conditions
  const difference = active.length - rs.spec.replicas
  return setCondition(conditions, {
    type: 'ReplicaFailure',
    status: 'True',
    reason: difference < 0 ? 'FailedCreate' : difference > 0 ? 'FailedDelete' : '',
    message: failure.message,
    lastTransitionTime: toRfc3339(now),
  })
}

const hasAll = (labels: Record<string, string>, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value)
