import type * as o from '../../kube/objects.ts'
import type { Draw } from './draw.ts'
import { made } from './made.ts'

const STORAGE = 'storage.k8s.io/v1'
const DRIVERS = ['csi.example.com', 'other.example.com']

/** What drivers say of themselves: how many volumes nodes take, what is attached to them, and how much room there is. */
export function drawDrivers(draw: Draw, nodes: readonly o.Node[], storage: readonly o.KubeObject[]): o.KubeObject[] {
  const volumes = storage.filter(({ kind }) => kind === 'PersistentVolume').map(({ metadata }) => metadata.name)
  return [
    ...nodes.filter(() => draw.chance(0.7)).map(({ metadata: { name } }) => drawCsiNode(draw, name)),
    ...draw.list(volumes.length > 0 ? draw.from(0, 3) : 0, (i) =>
      drawAttachment(draw, `attachment-${i}`, { volumes, nodes }),
    ),
    // without any capacities ours does not look at them
    ...(draw.chance(0.5) ? [drawDriver(draw), drawCapacity(draw, 'capacity')] : []),
    ...draw.list(draw.from(0, 2), (i) => drawCapacity(draw, `capacity-${i}`)),
  ]
}

export const drawCsiNode = (draw: Draw, name: string): o.KubeObject =>
  made(STORAGE, 'CSINode', name, {
    ...(draw.chance(0.2)
      ? {
          metadata: {
            annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': draw.pick(['', 'kubernetes.io/x']) },
          },
        }
      : {}),
    spec: {
      drivers: DRIVERS.filter(() => draw.chance(0.7)).map((driver) => ({
        ...{ name: driver, nodeID: name, topologyKeys: null },
        ...draw.parts({ allocatable: [0.8, () => ({ count: draw.pick([0, 1, 1, 2, 3, 10]) })] }),
      })),
    },
  })

export const drawAttachment = (
  draw: Draw,
  name: string,
  { volumes, nodes }: { volumes: readonly string[]; nodes: readonly o.Node[] },
): o.KubeObject =>
  made(STORAGE, 'VolumeAttachment', name, {
    spec: {
      attacher: draw.pick(DRIVERS),
      nodeName: draw.pick(nodes).metadata.name,
      source: { persistentVolumeName: draw.chance(0.95) ? draw.pick(volumes) : 'gone' },
    },
    status: { attached: draw.chance(0.5) },
  })

export const drawDriver = (draw: Draw): o.KubeObject =>
  made(STORAGE, 'CSIDriver', 'csi.example.com', {
    spec: draw.parts({ storageCapacity: [0.8, () => draw.chance(0.8)] }),
  })

export const drawCapacity = (draw: Draw, name: string): o.KubeObject =>
  made(STORAGE, 'CSIStorageCapacity', name, {
    metadata: { namespace: 'default' },
    storageClassName: draw.pick(['late', 'late', 'now']),
    ...draw.parts({
      nodeTopology: [
        0.9,
        () =>
          draw.pick([
            {},
            { matchLabels: { 'topology.kubernetes.io/zone': draw.pick(['z1', 'z2']) } },
            { matchExpressions: [{ key: 'rack', operator: 'In', values: ['r1', 'r2'] }] },
          ]),
      ],
      capacity: [0.8, () => draw.pick(['0', '5Gi', '50Gi', '1Ti'])],
      maximumVolumeSize: [0.4, () => draw.pick(['1Gi', '100Gi'])],
    }),
  })
