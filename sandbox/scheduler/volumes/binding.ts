import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { compareQuantities, parseQuantity } from '../../kube/quantity.ts'
import { Action, type EventHint } from '../framework/events.ts'
import { type Plugin, plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'
import { volumeLimit } from './capacity.ts'
import { claimsOf, mountsClaims, type PodClaims, planFor } from './pod-volumes.ts'
import { CLAIM_CHANGED, mountsClaim, NODE_LABELLED } from './storage-hints.ts'
import type { VolumeBinder } from './volume-binder.ts'

const NAME = 'VolumeBinding'
const COMES_OR_CHANGES = Action.Add | Action.Update
/** Of a CSINode: which plugins of the kubelet have become drivers. */
const MIGRATED = 'storage.alpha.kubernetes.io/migrated-plugins'

/** After these a pod may find its volumes. */
const EVENTS: readonly EventHint[] = [
  {
    resource: 'StorageClass',
    actions: COMES_OR_CHANGES,
    hint: (_, before, after) => !before || !equal(topologies(before), topologies(after!)),
  },
  { ...CLAIM_CHANGED, hint: (pod, _, claim) => mountsClaim(pod, claim) },
  { resource: 'PersistentVolume', actions: COMES_OR_CHANGES },
  NODE_LABELLED,
  {
    resource: 'CSINode',
    actions: COMES_OR_CHANGES,
    hint: (_, before, after) => !before || migrated(before) !== migrated(after!),
  },
  {
    resource: 'CSIDriver',
    actions: Action.Update,
    hint: (pod, before, after) => stopsCounting(pod, before as o.CSIDriver, after as o.CSIDriver),
  },
  {
    resource: 'CSIStorageCapacity',
    actions: COMES_OR_CHANGES,
    hint: (_, before, after) => !before || hasGrown(before as o.CSIStorageCapacity, after as o.CSIStorageCapacity),
  },
]

/** Bound volumes must fit the node, others be found or made for it. Follows plugins/volumebinding/volume_binding.go. */
export const volumeBinding = (binder: VolumeBinder): Plugin =>
  plugin<PodClaims, undefined>({
    name: NAME,
    preFilter({ pod }) {
      if (!mountsClaims(pod)) return { skip: true }
      const claims = claimsOf(binder.kube, pod)
      if (typeof claims === 'string') return { status: unresolvable(NAME, claims) }
      if (claims.immediate.length > 0)
        return { status: unresolvable(NAME, 'pod has unbound immediate PersistentVolumeClaims') }
      return { state: claims }
    },
    filter(claims, _, { node }) {
      const plan = planFor(binder.kube, claims, node!, binder.assumed)
      return Array.isArray(plan) ? unresolvable(NAME, ...plan) : undefined
    },
    events: EVENTS,
  })

const migrated = ({ metadata: { annotations = {} } }: o.KubeObject): string => annotations[MIGRATED] ?? ''

const topologies = (storageClass: o.KubeObject): unknown => (storageClass as o.StorageClass).allowedTopologies ?? []

/** Whether a driver of which the pod names a volume itself does no longer say how much room it has. */
const stopsCounting = ({ spec: { volumes = [] } }: o.Pod, before: o.CSIDriver, after: o.CSIDriver): boolean =>
  Boolean(before.spec.storageCapacity) &&
  !after.spec.storageCapacity &&
  volumes.some((volume) => (volume['csi'] as { driver?: string } | undefined)?.driver === after.metadata.name)

function hasGrown(before: o.CSIStorageCapacity, after: o.CSIStorageCapacity): boolean {
  const [old, now] = [volumeLimit(before), volumeLimit(after)]
  return now !== undefined && (old === undefined || compareQuantities(parseQuantity(now), parseQuantity(old)) > 0)
}
