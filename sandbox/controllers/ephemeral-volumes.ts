import { ApiError } from '../kube/errors.ts'
import { keyOf, PersistentVolumeClaim, Pod } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { podsByClaim } from '../kube/volumes.ts'
import type { Task } from '../world/actor.ts'
import { controllerRef } from './claim.ts'
import { type ControllerContext, controller, watching } from './controller.ts'
import { RetryError } from './retry.ts'

/** Makes the claims of generic ephemeral volumes, owned by their pods. Follows pkg/controller/volume/ephemeral/controller.go. */
export const ephemeralVolumeController = controller({
  name: 'ephemeral-volume-controller',
  workers: 5,
  watches: [
    watching(Pod, ({ queue }) => ({
      added: (pod) => pod.spec.volumes?.some((volume) => volume.ephemeral) && queue.add(keyOf(pod)),
    })),
    watching(PersistentVolumeClaim, ({ kube, queue }) => ({
      deleted: (claim) => {
        for (const pod of kube.indexed(podsByClaim, keyOf(claim))) queue.add(keyOf(pod))
      },
    })),
  ],
  *reconcile(key, context) {
    const pod = context.kube.get(Pod, key)
    if (!pod || pod.metadata.deletionTimestamp) return
    for (const volume of pod.spec.volumes ?? []) {
      const source = volume.ephemeral as { volumeClaimTemplate?: o.ClaimTemplate } | undefined
      if (!source?.volumeClaimTemplate) continue
      try {
        yield* makeClaim(pod, volume.name, source.volumeClaimTemplate, context)
      } catch (error) {
        if (!(error instanceof RetryError)) throw error
        const message = `ephemeral volume ${volume.name}: ${error.message}`
        context.kube.event(pod, 'Warning', 'FailedBinding', message)
        throw new RetryError(`pod ${key}, ${message}`)
      }
    }
  },
})

function* makeClaim(
  pod: o.Pod,
  volume: string,
  { metadata, spec }: o.ClaimTemplate,
  { kube }: ControllerContext,
): Task {
  const { namespace, uid } = pod.metadata
  const name = `${pod.metadata.name}-${volume}`
  const held = kube.get(PersistentVolumeClaim, `${namespace}/${name}`)
  if (held) {
    if (held.metadata.ownerReferences?.some((ref) => ref.uid === uid)) return
    throw new RetryError(
      `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    )
  }
  try {
    yield* kube.create(PersistentVolumeClaim, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...metadata, name, namespace, ownerReferences: [controllerRef(pod)] },
      spec,
    })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new RetryError(`create PVC ${name}: ${error.message}`)
  }
}
