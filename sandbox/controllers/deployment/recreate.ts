import { podsByController } from '../../kube/indexes.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { isFinished } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import { cleanUpOldSets } from './cleanup.ts'
import { syncRolloutStatus } from './progress.ts'
import { active, statusReplicas } from './replica-counts.ts'
import { type Sets, syncSets } from './replica-sets.ts'
import { scaleReplicaSet } from './scale.ts'
import { isComplete } from './status.ts'
import type { Pass } from './working-copy.ts'

/** One step of a Recreate rollout: the new set is made when the last old pod is gone. Follows pkg/controller/deployment/recreate.go. */
export function* rollOutRecreate(pass: Pass, owned: readonly o.ReplicaSet[]): Task {
  let sets = yield* syncSets(pass, owned, false)
  let shrunk = false
  for (const rs of active(sets.old)) {
    const { scaled } = yield* scaleReplicaSet(pass, rs, 0)
    shrunk ||= scaled
  }
  if (shrunk || oldPodsRun(pass.context.kube, sets, owned)) return yield* syncRolloutStatus(pass, sets)
  if (!sets.current) sets = yield* syncSets(pass, owned, true)
  yield* scaleReplicaSet(pass, sets.current!, pass.d.spec.replicas)
  if (isComplete(pass.d, pass.d.status)) yield* cleanUpOldSets(pass, sets.old)
  yield* syncRolloutStatus(pass, sets)
}

/** Pods of an old set count until they are gone or finished, those being deleted too. */
function oldPodsRun(kube: Kube, { current, old }: Sets, owned: readonly o.ReplicaSet[]): boolean {
  if (statusReplicas(old) > 0) return true
  return owned
    .filter((rs) => rs.metadata.uid !== current?.metadata.uid)
    .some((rs) => kube.indexed(podsByController, rs.metadata.uid).some((pod) => !isFinished(pod)))
}
