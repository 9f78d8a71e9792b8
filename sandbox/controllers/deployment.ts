import { controllerOf, podsByController, replicaSetsByController } from '../kube/indexes.ts'
import { Deployment, keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import type { Task } from '../world/actor.ts'
import { claim } from './claim.ts'
import { type ControllerContext, controller, primary, watching } from './controller.ts'
import { cleanUpOldSets } from './deployment/cleanup.ts'
import { rollOutRecreate } from './deployment/recreate.ts'
import { syncSets } from './deployment/replica-sets.ts'
import { rollBack, rollbackTarget } from './deployment/rollback.ts'
import { rollOutRolling } from './deployment/rolling.ts'
import { isScalingEvent, scale } from './deployment/scale.ts'
import { syncStatus } from './deployment/status.ts'
import {
  hasProgressDeadline,
  type Pass,
  progressing,
  setProgressing,
  workingCopy,
  writeStatus,
} from './deployment/working-copy.ts'
import { controllerIn, owned } from './owned.ts'

/** Rolls a Deployment's template out through ReplicaSets. Follows pkg/controller/deployment/deployment_controller.go (1.36). */
export const deploymentController = controller({
  name: 'deployment-controller',
  workers: 5,
  maxRetries: 15,
  watches: [
    primary(Deployment),
    owned(ReplicaSet, Deployment),
    watching(Pod, (context) => ({ deleted: (pod) => queueWhenLastPodGone(context, pod) })),
  ],
  *reconcile(key, context) {
    const deployment = context.kube.get(Deployment, key)
    if (!deployment) return
    const pass: Pass = { d: workingCopy(deployment), context }
    if (isEmpty(deployment.spec.selector)) return yield* refuse(pass)
    yield* sync(pass, yield* claimSets(deployment, context))
  },
})

function* sync(pass: Pass, sets: readonly o.ReplicaSet[]): Task {
  const { d } = pass
  if (d.metadata.deletionTimestamp) return yield* syncStatus(pass, yield* syncSets(pass, sets, false))
  yield* notePaused(pass)
  if (d.spec.paused) return yield* resize(pass, sets)
  const target = rollbackTarget(d)
  if (target !== undefined) return yield* rollBack(pass, sets, target)
  if (isScalingEvent(d, yield* syncSets(pass, sets, false))) return yield* resize(pass, sets)
  if (d.spec.strategy.type === 'Recreate') return yield* rollOutRecreate(pass, sets)
  yield* rollOutRolling(pass, sets)
}

/** What is done while paused, and when the size was changed. Follows sync in pkg/controller/deployment/sync.go. */
function* resize(pass: Pass, owned: readonly o.ReplicaSet[]): Task {
  const sets = yield* syncSets(pass, owned, false)
  yield* scale(pass, sets)
  if (pass.d.spec.paused && rollbackTarget(pass.d) === undefined) yield* cleanUpOldSets(pass, sets.old)
  yield* syncStatus(pass, sets)
}

/** Says in the Progressing condition that a pause stops the clock. Follows checkPausedConditions. */
function* notePaused(pass: Pass): Task {
  const { d } = pass
  const reason = progressing(d.status)?.reason
  if (!hasProgressDeadline(d) || reason === 'ProgressDeadlineExceeded') return
  const noted = reason === 'DeploymentPaused'
  if (Boolean(d.spec.paused) === noted) return
  if (noted) setProgressing(pass, 'Unknown', 'DeploymentResumed', 'Deployment is resumed')
  else setProgressing(pass, 'Unknown', 'DeploymentPaused', 'Deployment is paused')
  yield* writeStatus(pass)
}

/** A Deployment that selects everything is left alone. */
function* refuse(pass: Pass): Task {
  const { d, context } = pass
  const message = 'This deployment is selecting all pods. A non-empty selector is required.'
  context.kube.event(d, 'Warning', 'SelectingAll', message)
  if ((d.status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)) return
  d.status.observedGeneration = d.metadata.generation
  yield* writeStatus(pass)
}

const isEmpty = ({ matchLabels, matchExpressions }: o.LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0

/** Its ReplicaSets, after adopting those that match and releasing those that do not. */
function* claimSets(owner: o.Deployment, { kube }: ControllerContext): Task<o.ReplicaSet[]> {
  const candidates = kube
    .list(ReplicaSet, { namespace: owner.metadata.namespace })
    .filter((rs) => (controllerOf(rs)?.uid ?? owner.metadata.uid) === owner.metadata.uid)
  return yield* claim(candidates, { kube, owner, ownerKind: Deployment, kind: ReplicaSet })
}

/** A Recreate rollout goes on when the last pod is gone. Follows deletePod in deployment_controller.go. */
function queueWhenLastPodGone(context: ControllerContext, pod: o.Pod): void {
  const { kube, queue } = context
  const rs = controllerIn(context, ReplicaSet, pod)
  const deployment = rs && controllerIn(context, Deployment, rs)
  if (deployment?.spec.strategy.type !== 'Recreate') return
  // upstream lists the sets live here; the cache has every set whose pods it has
  const sets = kube.indexed(replicaSetsByController, deployment.metadata.uid)
  const pods = sets
    .filter((set) => selects(deployment.spec.selector, set.metadata.labels))
    .some((set) => kube.indexed(podsByController, set.metadata.uid).length > 0)
  if (!pods) queue.add(keyOf(deployment))
}
