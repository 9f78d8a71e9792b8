import { createHash } from 'node:crypto'
import { PersistentVolumeClaim, Pod, StorageClass } from './kinds.ts'
import type { Index, Kube } from './kube.ts'
import type * as o from './objects.ts'
import { compareQuantities, parseQuantity } from './quantity.ts'
import { nodeSelector } from './selectors.ts'
import { selects } from './selects.ts'

// follows k8s.io/component-helpers/storage/volume/{helpers,pv_helpers}.go

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
/** The provisioner of a class whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

/** The claims a pod mounts, by the name of each volume; ephemeral ones under the name their claim will have. */
export function claimNames(pod: o.Pod): { volume: string; claim: string; ephemeral: boolean; readOnly: boolean }[] {
  const found: ReturnType<typeof claimNames> = []
  for (const volume of pod.spec.volumes ?? []) {
    const source = volume.persistentVolumeClaim as { claimName: string; readOnly?: boolean } | undefined
    if (source)
      found.push({ volume: volume.name, claim: source.claimName, ephemeral: false, readOnly: source.readOnly ?? false })
    else if (volume.ephemeral)
      found.push({
        volume: volume.name,
        claim: `${pod.metadata.name}-${volume.name}`,
        ephemeral: true,
        readOnly: false,
      })
  }
  return found
}

/** Pods by the keys of the claims they mount. */
export const podsByClaim: Index<o.Pod> = {
  kind: Pod,
  name: 'claim',
  values: (pod) =>
    pod.spec.volumes ? claimNames(pod).map(({ claim }) => `${pod.metadata.namespace}/${claim}`) : NO_CLAIMS,
}
const NO_CLAIMS: readonly string[] = []

/** Claims by the volume they name. */
export const claimsByVolume: Index<o.PersistentVolumeClaim> = {
  kind: PersistentVolumeClaim,
  name: 'volume',
  values: ({ spec }) => (spec.volumeName ? [spec.volumeName] : []),
}

/** Its class; the empty string where it has none. */
export const classOf = ({ spec, metadata }: o.PersistentVolumeClaim | o.PersistentVolume): string =>
  metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? ''

/** Whether binding waits for a pod. */
export const bindsLate = (kube: Kube, claim: o.PersistentVolumeClaim): boolean =>
  classOf(claim) !== '' && kube.get(StorageClass, classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer'

/** Bound in both directions, by the binder's own word. */
export const isBound = ({ spec, metadata }: o.PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined

/** Whether the volume is promised to this claim: by name, and by uid where it says one. */
export const isVolumeFor = (
  { spec: { claimRef } }: o.PersistentVolume,
  { metadata }: o.PersistentVolumeClaim,
): boolean =>
  claimRef !== undefined &&
  claimRef.name === metadata.name &&
  claimRef.namespace === metadata.namespace &&
  (!claimRef.uid || claimRef.uid === metadata.uid)

/** By the node's labels alone. Follows CheckNodeAffinity. */
export const volumeFitsNode = ({ spec }: o.PersistentVolume, { metadata: { labels = {} } }: o.Node): boolean => {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  return !terms || nodeSelector(terms)({ metadata: { name: '', labels } })
}

/**
 * Whether a volume is brought to a node before it is mounted there, as its CSIDriver says. Where there is none, one whose volume every
 * node may write is taken to be a shared file system, which is not attached. Follows pkg/volume/csi/csi_plugin.go CanAttach.
 */
export function needsAttach({ spec }: o.PersistentVolume, driver: o.CSIDriver | undefined): boolean {
  if (!spec.csi) return false
  return driver ? driver.spec.attachRequired !== false : !spec.accessModes?.includes('ReadWriteMany')
}

/** Whether several nodes may have it attached at once: a volume that says nothing of its modes may. Follows IsMultiAttachAllowed. */
export const mayAttachToMany = ({ spec: { accessModes = [] } }: o.PersistentVolume): boolean =>
  accessModes.length === 0 || accessModes.includes('ReadWriteMany') || accessModes.includes('ReadOnlyMany')

export const holdsModes = (volume: o.PersistentVolume, claim: o.PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

/**
 * The smallest volume that a claim can have: of its classes, modes, size and labels, on `node` where one is given. One promised to
 * the claim comes first. Without a node, a claim that binds late only gets what is promised to it. Follows FindMatchingVolume.
 */
export function matchingVolume(
  claim: o.PersistentVolumeClaim,
  volumes: readonly o.PersistentVolume[],
  options: { node?: o.Node; late: boolean; excluded?: ReadonlySet<string> },
): o.PersistentVolume | undefined {
  const { node, late, excluded } = options
  let smallest: o.PersistentVolume | undefined
  const asked = parseQuantity(claim.spec.resources?.requests?.storage ?? '0')
  const size = (volume: o.PersistentVolume) => parseQuantity(volume.spec.capacity?.storage ?? '0')
  for (const volume of volumes) {
    if (excluded?.has(volume.metadata.name) || volume.metadata.deletionTimestamp) continue
    const { claimRef, volumeMode = 'Filesystem' } = volume.spec
    if (claimRef && !isVolumeFor(volume, claim)) continue
    if (volumeMode !== (claim.spec.volumeMode ?? 'Filesystem')) continue
    if ((volume.spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')) continue
    const large = compareQuantities(size(volume), asked) >= 0
    const fits = !node || volumeFitsNode(volume, node)
    if (claimRef) {
      if (!large) continue
      return fits ? volume : undefined
    }
    if (!node && late) continue
    if (!large || !fits || volume.status?.phase !== 'Available' || !holdsModes(volume, claim)) continue
    if (claim.spec.selector && !selects(claim.spec.selector, volume.metadata.labels)) continue
    if (classOf(volume) !== classOf(claim)) continue
    if (!smallest || compareQuantities(size(volume), size(smallest)) < 0) smallest = volume
  }
  return smallest
}

/** The volume as bound to the claim. Follows GetBindVolumeToClaim. */
export const boundVolume = (volume: o.PersistentVolume, claim: o.PersistentVolumeClaim): o.PersistentVolume => {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const { annotations } = volume.metadata
  const claimRef = { kind: claim.kind, apiVersion: claim.apiVersion, namespace, name, uid, resourceVersion }
  const marked = volume.spec.claimRef ? annotations : { ...annotations, [BOUND_BY_CONTROLLER]: 'yes' }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(marked ? { annotations: marked } : {}) },
    spec: { ...volume.spec, claimRef },
  }
}

/** The name of the attachment of a driver's volume to a node. Follows pkg/volume/csi/csi_attacher.go getAttachmentName. */
export function attachmentName({ spec }: o.PersistentVolume, nodeName: string): string {
  const { volumeHandle = '', driver = '' } = spec.csi ?? {}
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`
}

/** What a driver's volume is called in the status of nodes. Follows pkg/volume/util/util.go GetUniqueVolumeName. */
export const uniqueVolumeName = ({ spec }: o.PersistentVolume): string =>
  `kubernetes.io/csi/${spec.csi?.driver}^${spec.csi?.volumeHandle}`
