import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { setCondition } from '../conditions.ts'
import { maxUnavailableOf } from './fenceposts.ts'
import {
  availableReplicas,
  readyReplicas,
  specReplicas,
  statusReplicas,
  terminatingReplicas,
} from './replica-counts.ts'
import type { Sets } from './replica-sets.ts'
import { newCondition, type Pass, writeStatus } from './working-copy.ts'

type Status = o.Deployment['status']

/** What the ReplicaSets say together. Follows calculateStatus in pkg/controller/deployment/sync.go. */
export function deploymentStatus(pass: Pass, { current, all }: Sets): Status {
  const { metadata, spec, status } = pass.d
  const available = availableReplicas(all)
  const enough = available >= spec.replicas - maxUnavailableOf(pass.d)
  const condition = enough
    ? newCondition(pass, 'Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
    : newCondition(
        pass,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
      )
  return {
    observedGeneration: metadata.generation,
    // counts of nothing are left out, as Go's `omitempty` leaves them out
    replicas: statusReplicas(all) || undefined,
    updatedReplicas: (current && statusReplicas([current])) || undefined,
    readyReplicas: readyReplicas(all) || undefined,
    availableReplicas: available || undefined,
    unavailableReplicas: Math.max(0, specReplicas(all) - available) || undefined,
    terminatingReplicas: terminatingReplicas(all),
    collisionCount: status.collisionCount,
    conditions: setCondition(status.conditions, condition),
  }
}

/** Brings the status up to date without a thought of progress. Follows syncDeploymentStatus. */
export function* syncStatus(pass: Pass, sets: Sets): Task {
  const status = deploymentStatus(pass, sets)
  if (equal(pass.d.status, status)) return
  pass.d.status = status
  yield* writeStatus(pass)
}

/** All pods are of the new template and available, and no others are left. Follows DeploymentComplete. */
export const isComplete = ({ metadata, spec }: o.Deployment, status: Status): boolean =>
  (status.updatedReplicas ?? 0) === spec.replicas &&
  (status.replicas ?? 0) === spec.replicas &&
  (status.availableReplicas ?? 0) === spec.replicas &&
  (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
