import { CSIDriver, CSIStorageCapacity } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { parseQuantity, wholeValueOf } from '../../kube/quantity.ts'
import { selects } from '../../kube/selects.ts'

// follows hasEnoughCapacity in pkg/scheduler/framework/plugins/volumebinding/binder.go

/**
 * Whether the driver of a class has room for the claim's volume on the node; true where it does not say how much there is. As long
 * as nobody says it of any class, there is room: the provisioner beside a driver would say it, and none need run here.
 */
export function hasRoom(
  kube: Kube,
  claim: o.PersistentVolumeClaim,
  { metadata: { name }, provisioner }: o.StorageClass,
  node: o.Node,
): boolean {
  const asked = claim.spec.resources?.requests?.storage
  if (asked === undefined || !kube.get(CSIDriver, provisioner)?.spec.storageCapacity) return true
  const capacities = kube.list(CSIStorageCapacity)
  const size = wholeValueOf(parseQuantity(asked))
  return (
    capacities.length === 0 ||
    capacities.some((capacity) => {
      const limit = volumeLimit(capacity)
      return (
        capacity.storageClassName === name &&
        limit !== undefined &&
        wholeValueOf(parseQuantity(limit)) >= size &&
        selects(capacity.nodeTopology, node.metadata.labels)
      )
    })
  )
}

/** The greatest volume there is room for. */
export const volumeLimit = ({ maximumVolumeSize, capacity }: o.CSIStorageCapacity): string | undefined =>
  maximumVolumeSize ?? capacity
