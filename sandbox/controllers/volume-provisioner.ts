import { isApiError } from '../kube/errors.ts'
import { keyOf, Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { classOf, isBound, PROVISIONED_BY, SELECTED_NODE, STORAGE_PROVISIONER } from '../kube/volumes.ts'
import { sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from './controller.ts'
import { RetryError } from './retry.ts'

/** What is taken of the storage behind a class. Assumed until somebody gives it. */
export interface StorageAssumptions {
  /** From the request for a volume until it is there. */
  readonly provisionTakes: Us
  readonly deleteTakes: Us
  /** The modes in which volumes can be had. Block storage of a cloud: one node at a time. */
  readonly accessModes: readonly o.AccessMode[]
  /** The node label whose value a volume stays in; undefined for storage that every node reaches. */
  readonly topologyKey: string | undefined
}

/** Block storage of a cloud: a few seconds, one node at a time, bound to a zone. */
export const blockStorage: StorageAssumptions = {
  provisionTakes: seconds(5),
  deleteTakes: seconds(5),
  accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'],
  topologyKey: 'topology.kubernetes.io/zone',
}

/** A shared file system: any number of nodes, no zone. */
export const fileStorage: StorageAssumptions = {
  provisionTakes: seconds(5),
  deleteTakes: seconds(5),
  accessModes: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
  topologyKey: undefined,
}

/**
 * Makes the volumes that classes promise, and deletes them when they are released: the csi-provisioner beside a driver, one for
 * all drivers. `storageOf` says what is behind a class. Follows kubernetes-sigs/sig-storage-lib-external-provisioner.
 */
export const volumeProvisioner = (
  storageOf: (storageClass: o.StorageClass) => StorageAssumptions = () => blockStorage,
): ControllerSpec =>
  controller({
    name: 'csi-provisioner',
    workers: 100,
    retryDelay: seconds(1),
    watches: [
      watching(PersistentVolumeClaim, ({ queue }) => ({
        added: (claim) => isWaiting(claim) && queue.add(`claim ${keyOf(claim)}`),
        updated: (_, claim) => isWaiting(claim) && queue.add(`claim ${keyOf(claim)}`),
      })),
      watching(PersistentVolume, ({ queue }) => ({
        added: (volume) => isReleased(volume) && queue.add(`volume ${keyOf(volume)}`),
        updated: (_, volume) => isReleased(volume) && queue.add(`volume ${keyOf(volume)}`),
      })),
      watching(StorageClass, () => ({})),
      watching(Node, () => ({})),
    ],
    *reconcile(key, context) {
      const { kube } = context
      const [sort, name] = key.split(' ') as [string, string]
      if (sort === 'claim') {
        const claim = kube.get(PersistentVolumeClaim, name)
        const storageClass = claim && kube.get(StorageClass, classOf(claim))
        if (claim && storageClass && isWaiting(claim))
          yield* provision(claim, storageClass, storageOf(storageClass), context)
        return
      }
      const volume = kube.get(PersistentVolume, name)
      const storageClass = volume && kube.get(StorageClass, classOf(volume))
      if (!volume || !isReleased(volume)) return
      yield* sleep(storageClass ? storageOf(storageClass).deleteTakes : blockStorage.deleteTakes)
      yield* kube.delete(PersistentVolume, name)
    },
  })

const isWaiting = (claim: o.PersistentVolumeClaim): boolean =>
  !claim.spec.volumeName && !isBound(claim) && claim.metadata.annotations?.[STORAGE_PROVISIONER] !== undefined

const isReleased = ({ status, spec, metadata }: o.PersistentVolume): boolean =>
  status?.phase === 'Released' &&
  spec.persistentVolumeReclaimPolicy === 'Delete' &&
  metadata.annotations?.[PROVISIONED_BY] !== undefined

function* provision(
  claim: o.PersistentVolumeClaim,
  storageClass: o.StorageClass,
  storage: StorageAssumptions,
  { kube }: ControllerContext,
): Task {
  const node = claim.metadata.annotations?.[SELECTED_NODE]
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && node === undefined) return
  const key = keyOf(claim)
  kube.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key}"`)
  const modes = claim.spec.accessModes ?? []
  const unsupported = modes.find((mode) => !storage.accessModes.includes(mode))
  if (unsupported) {
    const why = `rpc error: code = InvalidArgument desc = Volume capabilities not supported: access mode ${unsupported}`
    const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`
    kube.event(claim, 'Warning', 'ProvisioningFailed', message)
    throw new RetryError(message, { quiet: true })
  }
  yield* sleep(storage.provisionTakes)
  const volume = volumeFor(claim, storageClass, topologyTerms(kube, storage.topologyKey, node))
  try {
    yield* kube.create(PersistentVolume, volume)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
  kube.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata.name}`)
}

/** The zone of the chosen node, or of the first node that has one where binding does not wait for a pod. */
function topologyTerms(
  kube: ControllerContext['kube'],
  topologyKey: string | undefined,
  nodeName: string | undefined,
): o.NodeSelectorTerm[] | undefined {
  if (topologyKey === undefined) return undefined
  const node =
    nodeName === undefined
      ? kube.list(Node).find(({ metadata }) => metadata.labels?.[topologyKey])
      : kube.get(Node, nodeName)
  const zone = node?.metadata.labels?.[topologyKey]
  return zone ? [{ matchExpressions: [{ key: topologyKey, operator: 'In', values: [zone] }] }] : undefined
}

function volumeFor(
  { metadata, spec, kind, apiVersion }: o.PersistentVolumeClaim,
  storageClass: o.StorageClass,
  terms: o.NodeSelectorTerm[] | undefined,
): Omit<o.PersistentVolume, 'metadata' | 'status'> & { metadata: { name: string } } {
  const { name, namespace, uid, resourceVersion } = metadata
  const { provisioner } = storageClass
  const volume = `pvc-${uid}`
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume, annotations: { [PROVISIONED_BY]: provisioner } } as { name: string },
    spec: {
      accessModes: spec.accessModes ?? [],
      capacity: { storage: spec.resources?.requests?.storage ?? '1Gi' },
      claimRef: { kind, apiVersion, namespace, name, uid, resourceVersion },
      storageClassName: storageClass.metadata.name,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      volumeMode: spec.volumeMode ?? 'Filesystem',
      csi: { driver: provisioner, volumeHandle: volume },
      ...(terms ? { nodeAffinity: { required: { nodeSelectorTerms: terms } } } : {}),
    },
  }
}
