import { equal } from '../journal/merge-patch.ts'
import { keyOf, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  bindsLate,
  boundVolume,
  classOf,
  isBound,
  isVolumeFor,
  matchingVolume,
  NO_PROVISIONER,
  podsByClaim,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../kube/volumes.ts'
import type { Task } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { type ControllerContext, controller, watching } from './controller.ts'

const CLAIM = 'claim '
const VOLUME = 'volume '
/** Upstream's --pvclaimbinder-sync-period: how often claims without a volume are looked at again. */
const RESYNC = seconds(15)

/**
 * Binds claims to volumes, asks for volumes where a class makes them, and releases those whose claims are gone.
 * Follows pkg/controller/volume/persistentvolume/pv_controller.go, without recycling and in-tree provisioners.
 */
export const persistentVolumeController = controller({
  name: 'persistent-volume-binder',
  workers: 1,
  watches: [
    watching(PersistentVolumeClaim, ({ queue }) => ({
      added: (claim) => queue.add(CLAIM + keyOf(claim)),
      updated: (_, claim) => queue.add(CLAIM + keyOf(claim)),
      deleted: (claim) => claim.spec.volumeName && queue.add(VOLUME + claim.spec.volumeName),
    })),
    watching(PersistentVolume, ({ kube, queue }) => ({
      added(volume) {
        queue.add(VOLUME + keyOf(volume))
        if (!volume.spec.claimRef) for (const claim of kube.list(PersistentVolumeClaim)) queueUnbound(queue, claim)
      },
      updated: (_, volume) => queue.add(VOLUME + keyOf(volume)),
    })),
    watching(StorageClass, () => ({})),
    watching(Pod, () => ({})),
  ],
  *reconcile(key, context) {
    const { kube } = context
    if (key.startsWith(VOLUME)) {
      const volume = kube.get(PersistentVolume, key.slice(VOLUME.length))
      if (volume && !volume.metadata.deletionTimestamp) yield* syncVolume(volume, context)
      return
    }
    const claim = kube.get(PersistentVolumeClaim, key.slice(CLAIM.length))
    if (!claim || claim.metadata.deletionTimestamp) return
    if (isBound(claim)) yield* syncBound(claim, context)
    else yield* syncUnbound(claim, context)
  },
})

function queueUnbound(queue: ControllerContext['queue'], claim: o.PersistentVolumeClaim): void {
  if (!isBound(claim)) queue.add(CLAIM + keyOf(claim))
}

function* syncUnbound(claim: o.PersistentVolumeClaim, context: ControllerContext): Task {
  const { kube, queue } = context
  const { volumeName } = claim.spec
  if (volumeName) {
    const volume = kube.get(PersistentVolume, volumeName)
    if (volume && (!volume.spec.claimRef || isVolumeFor(volume, claim))) return yield* bind(volume, claim, context)
    return queue.addAfter(CLAIM + keyOf(claim), RESYNC)
  }
  const late = bindsLate(kube, claim)
  const chosen = claim.metadata.annotations?.[SELECTED_NODE] !== undefined
  const volume = matchingVolume(claim, kube.list(PersistentVolume), { late: late && !chosen })
  if (volume) return yield* bind(volume, claim, context)
  queue.addAfter(CLAIM + keyOf(claim), RESYNC)
  if (late && !chosen) return tellOfWaiting(claim, context)
  if (classOf(claim) !== '') return yield* askForVolume(claim, context)
  const message = 'no persistent volumes available for this claim and no storage class is set'
  kube.event(claim, 'Normal', 'FailedBinding', message)
}

/** Follows emitEventForUnboundDelayBindingClaim. */
function tellOfWaiting(claim: o.PersistentVolumeClaim, { kube }: ControllerContext): void {
  const pods = kube
    .indexed(podsByClaim, keyOf(claim))
    .filter((pod) => !pod.spec.nodeName)
    .map((pod) => pod.metadata.name)
  if (pods.length === 0)
    kube.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  else {
    const message = `waiting for pod${pods.length > 1 ? 's' : ''} ${pods.join(',')} to be scheduled`
    kube.event(claim, 'Normal', 'WaitForPodScheduled', message)
  }
}

/** Follows provisionClaimOperationExternal: the class's provisioner sees the annotation. */
function* askForVolume(claim: o.PersistentVolumeClaim, { kube }: ControllerContext): Task {
  const name = classOf(claim)
  const storageClass = kube.get(StorageClass, name)
  if (!storageClass) {
    kube.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${name}" not found`)
    return
  }
  const { provisioner } = storageClass
  if (provisioner === NO_PROVISIONER) return
  if (claim.metadata.annotations?.[STORAGE_PROVISIONER] !== provisioner) {
    const annotations = {
      [STORAGE_PROVISIONER]: provisioner,
      'volume.beta.kubernetes.io/storage-provisioner': provisioner,
    }
    yield* kube.patch(PersistentVolumeClaim, keyOf(claim), { metadata: { annotations } })
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system ` +
    'administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  kube.event(claim, 'Normal', 'ExternalProvisioning', message)
}

/** The volume's side first, then the claim's. Follows bind. */
function* bind(given: o.PersistentVolume, claim: o.PersistentVolumeClaim, { kube }: ControllerContext): Task {
  let volume = given
  if (volume.spec.claimRef?.uid !== claim.metadata.uid)
    volume = yield* kube.update(PersistentVolume, boundVolume(volume, claim))
  if (volume.status?.phase !== 'Bound')
    volume = yield* kube.updateStatus(PersistentVolume, { ...volume, status: { phase: 'Bound' } })
  let written = claim
  if (!isBound(claim)) {
    const { annotations } = claim.metadata
    const mark: Record<string, string> = claim.spec.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
    written = yield* kube.update(PersistentVolumeClaim, {
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, ...mark, [BIND_COMPLETED]: 'yes' } },
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    })
  }
  yield* writeBoundStatus(written, volume, kube)
}

function* writeBoundStatus(
  claim: o.PersistentVolumeClaim,
  { spec: { accessModes, capacity } }: o.PersistentVolume,
  kube: ControllerContext['kube'],
): Task {
  const status = { ...claim.status, phase: 'Bound' as const, accessModes, capacity }
  if (!equal(claim.status, status)) yield* kube.updateStatus(PersistentVolumeClaim, { ...claim, status })
}

/** Follows syncBoundClaim. */
function* syncBound(claim: o.PersistentVolumeClaim, context: ControllerContext): Task {
  const { kube } = context
  const volume = kube.get(PersistentVolume, claim.spec.volumeName!)
  const lose = function* (reason: string, message: string): Task {
    if (claim.status?.phase === 'Lost') return
    kube.event(claim, 'Warning', reason, message)
    const status = { ...claim.status, phase: 'Lost' as const }
    yield* kube.updateStatus(PersistentVolumeClaim, { ...claim, status })
  }
  if (!volume) return yield* lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  if (volume.spec.claimRef && !isVolumeFor(volume, claim))
    return yield* lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
  yield* bind(volume, claim, context)
}

/** Follows syncVolume: free, waiting for its claim, bound, or released. */
function* syncVolume(volume: o.PersistentVolume, { kube, queue }: ControllerContext): Task {
  const { claimRef } = volume.spec
  const setPhase = function* (phase: NonNullable<o.PersistentVolume['status']['phase']>): Task {
    if (volume.status?.phase !== phase) yield* kube.updateStatus(PersistentVolume, { ...volume, status: { phase } })
  }
  if (!claimRef?.uid) return yield* setPhase('Available')
  const key = `${claimRef.namespace}/${claimRef.name}`
  const claim = kube.get(PersistentVolumeClaim, key)
  if (claim?.metadata.uid === claimRef.uid) {
    if (claim.spec.volumeName === volume.metadata.name) return yield* setPhase('Bound')
    return queue.add(CLAIM + key)
  }
  if (volume.status?.phase === 'Bound' || volume.status?.phase === 'Available') yield* setPhase('Released')
}
