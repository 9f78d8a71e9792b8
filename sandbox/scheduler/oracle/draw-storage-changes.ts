import type * as o from '../../kube/objects.ts'
import type { Change } from './case.ts'
import type { Draw } from './draw.ts'
import { drawAttachment, drawCapacity, drawCsiNode, drawDriver } from './draw-drivers.ts'
import { drawClaim, drawTopologies, drawVolume } from './draw-volumes.ts'
import { made } from './made.ts'

type Make = (draw: Draw, nodes: readonly o.Node[]) => o.KubeObject

/** Objects of storage, some of which the pod in question has to do with. */
const MAKE: readonly Make[] = [
  (draw) => {
    const [claim] = drawClaim(draw, draw.pick(['claim-0', 'claim-1', 'incoming-v0', 'incoming-v1', 'x']), {
      pod: 'incoming',
      place: 0,
    })
    return { ...claim!, metadata: { ...claim!.metadata, namespace: draw.chance(0.9) ? 'default' : 'other' } }
  },
  (draw) => drawVolume(draw, 'spare-0', { storageClassName: draw.pick(['late', 'local']), place: 0 }),
  (draw) =>
    made('storage.k8s.io/v1', 'StorageClass', 'fresh', {
      provisioner: 'csi.example.com',
      volumeBindingMode: draw.pick(['WaitForFirstConsumer', 'Immediate']),
      ...drawTopologies(draw),
    }),
  (draw, nodes) => drawCsiNode(draw, draw.pick(nodes).metadata.name),
  (draw) => drawDriver(draw),
  (draw) => drawCapacity(draw, 'capacity-9'),
  (draw, nodes) => {
    const found = drawAttachment(draw, 'attachment-9', { volumes: ['spare-0'], nodes }) as o.VolumeAttachment
    return draw.chance(0.5) ? found : { ...found, spec: { ...found.spec, attacher: draw.pick(MIGRATED) } }
  },
]
/** Drivers that have taken over from plugins of the kubelet. */
const MIGRATED = ['pd.csi.storage.gke.io', 'ebs.csi.aws.com']

/** An object of storage that came, went, or became another one of the same name. */
export function drawStorageChange(draw: Draw, nodes: readonly o.Node[]): Change {
  const make = draw.pick(MAKE)
  const before = make(draw, nodes)
  const drawn = make(draw, nodes)
  const after = { ...drawn, metadata: { ...drawn.metadata, name: before.metadata.name } }
  if (before.metadata.namespace) after.metadata.namespace = before.metadata.namespace
  return draw.pick<Change>([
    { storageAfter: after },
    { storageBefore: before },
    { storageBefore: before, storageAfter: after },
    { storageBefore: before, storageAfter: after },
  ])
}
