import type * as o from '../../kube/objects.ts'
import type { Draw } from './draw.ts'
import { drawDrivers } from './draw-drivers.ts'
import { made } from './made.ts'

/** Claims for one pod, with volumes and classes. */
export interface Storage {
  readonly objects: readonly o.KubeObject[]
  /** What the pod mounts. */
  readonly volumes: NonNullable<o.PodSpec['volumes']>
}

/** Volumes that are nobody's, at most. */
const SPARE_MAX = 4

const CLASSES = [
  { name: 'late', volumeBindingMode: 'WaitForFirstConsumer', provisioner: 'csi.example.com' },
  { name: 'local', volumeBindingMode: 'WaitForFirstConsumer', provisioner: 'kubernetes.io/no-provisioner' },
  { name: 'now', volumeBindingMode: 'Immediate', provisioner: 'csi.example.com' },
]

/** Storage for a pod of the namespace default called `pod`, in a cluster of these nodes. */
export function drawStorage(draw: Draw, pod: string, nodes: readonly o.Node[]): Storage {
  const objects = CLASSES.filter(() => draw.chance(0.99)).map(({ name, ...rest }) =>
    made('storage.k8s.io/v1', 'StorageClass', name, { ...rest, ...drawTopologies(draw) }),
  )
  const spare = draw.list(draw.from(0, SPARE_MAX), (i) =>
    drawVolume(draw, `spare-${i}`, { storageClassName: draw.pick(['local', 'late', 'local']), place: i }),
  )
  const volumes: object[] = []
  for (const i of [0, 1, 2].slice(0, draw.pick([1, 1, 2, 3]))) {
    if (draw.chance(0.15)) {
      volumes.push({ name: `v${i}`, ...drawDisk(draw) })
      continue
    }
    const ephemeral = draw.chance(0.1)
    const name = ephemeral ? `${pod}-v${i}` : `claim-${i}`
    volumes.push(
      ephemeral
        ? { name: `v${i}`, ephemeral: { volumeClaimTemplate: { spec: {} } } }
        : { name: `v${i}`, persistentVolumeClaim: { claimName: name } },
    )
    if (!draw.chance(0.03)) objects.push(...drawClaim(draw, name, { pod, place: i }))
  }
  const drivers = draw.chance(0.6) ? drawDrivers(draw, nodes, [...objects, ...spare]) : []
  return { objects: [...objects, ...spare, ...drivers], volumes: volumes as Storage['volumes'] }
}

export const drawTopologies = (draw: Draw): Record<string, unknown> =>
  draw.parts({
    allowedTopologies: [
      0.3,
      () =>
        draw.list(draw.pick([1, 1, 2]), () => ({
          matchLabelExpressions: [
            { key: 'topology.kubernetes.io/zone', values: draw.pick([['z1', 'z2'], ['z3']]) },
            ...(draw.chance(0.2) ? [{ key: 'rack', values: ['r1', 'r2'] }] : []),
          ],
        })),
    ],
  })

/** A disk that a pod names itself. */
export const drawDisk = (draw: Draw): Record<string, unknown> => {
  const readOnly = draw.chance(0.5)
  const name = draw.pick(['a', 'a', 'b'])
  return draw.pick<Record<string, unknown>>([
    { gcePersistentDisk: { pdName: name, readOnly } },
    { awsElasticBlockStore: { volumeID: name, readOnly } },
    { iscsi: { targetPortal: '10.0.0.1', iqn: name, lun: 0, readOnly } },
    {
      rbd: {
        monitors: draw.pick([['m1', 'm2'], ['m2'], ['m3']]),
        image: name,
        pool: draw.pick(['rbd', 'rbd', 'other']),
        readOnly,
      },
    },
    { csi: { driver: 'csi.example.com' } },
  ])
}

/** A claim, and the volume it is bound to where it is. */
export function drawClaim(
  draw: Draw,
  name: string,
  { pod, place }: { readonly pod: string; readonly place: number },
): o.KubeObject[] {
  const storageClassName = draw.pick(['late', 'local', 'local', 'now', 'late', ''])
  const bound = draw.chance(0.5)
  const selected = !bound && draw.chance(0.1)
  const claim = made('v1', 'PersistentVolumeClaim', name, {
    metadata: {
      namespace: 'default',
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name: pod, uid: `uid-${draw.chance(0.97) ? pod : 'x'}`, controller: true },
      ],
      annotations: {
        ...(bound && draw.chance(0.95) ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {}),
        ...(selected ? { 'volume.kubernetes.io/selected-node': draw.pick(['n0', 'n1']) } : {}),
        ...(draw.chance(0.03) ? { 'volume.beta.kubernetes.io/storage-class': 'late' } : {}),
      },
      ...draw.parts({ deletionTimestamp: [0.02, () => '1999-12-31T23:00:00Z'], finalizers: [1, () => ['x']] }),
    },
    spec: {
      storageClassName,
      accessModes: [draw.pick(['ReadWriteOnce', 'ReadWriteOnce', 'ReadWriteOncePod'])],
      ...(draw.chance(0.97) ? { resources: { requests: { storage: draw.pick(['1Gi', '10Gi', '100Gi']) } } } : {}),
      ...(bound ? { volumeName: `pv-${name}` } : {}),
      ...draw.parts({
        selector: [0.1, () => draw.pick([{ matchLabels: { disk: 'fast' } }, {}])],
        volumeMode: [0.1, () => draw.pick(['Block', 'Filesystem'])],
        volumeAttributesClassName: [0.05, () => 'gold'],
      }),
    },
    status: { phase: bound ? (draw.chance(0.02) ? 'Lost' : 'Bound') : 'Pending' },
  })
  // one that is not bound yet may have its volume promised
  const promised = bound || draw.chance(0.1)
  const volume = drawVolume(draw, `pv-${name}`, { storageClassName, place: SPARE_MAX + place, claim: name })
  return promised && draw.chance(0.97) ? [claim, volume] : [claim]
}

/** No two volumes have the same size: which of equal ones is taken is chance upstream. `place`: among the volumes. */
export function drawVolume(
  draw: Draw,
  name: string,
  { storageClassName, place, claim }: { storageClassName: string; place: number; claim?: string },
): o.KubeObject {
  const zones = draw.list(draw.from(1, 2), () => draw.pick(['z1', 'z2', 'z3']))
  const required = draw.pick<object>([
    { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: zones }] },
    { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [`n${draw.from(0, 4)}`] }] },
    { matchExpressions: [{ key: 'rack', operator: draw.pick(['Exists', 'DoesNotExist']) }] },
    { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n0'] }] },
  ])
  const size = draw.pick([1, 10, 50, 200]) * 1024
  return made('v1', 'PersistentVolume', name, {
    metadata: {
      labels: draw.parts({
        'topology.kubernetes.io/zone': [0.3, () => draw.pick(['z1', 'z2', 'z1__z2', 'z1__'])],
        'topology.kubernetes.io/region': [0.1, () => 'eu'],
        'failure-domain.beta.kubernetes.io/zone': [0.1, () => draw.pick(['z1', 'z3'])],
        'failure-domain.beta.kubernetes.io/region': [0.05, () => draw.pick(['eu', 'us'])],
        disk: [0.5, () => 'fast'],
      }),
      ...(draw.chance(0.03) ? { deletionTimestamp: '1999-12-31T23:00:00Z', finalizers: ['x'] } : {}),
    },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce', ...(draw.chance(0.7) ? ['ReadWriteOncePod'] : [])],
      capacity: { storage: `${size + place}Mi` },
      ...draw.pick([
        { csi: { driver: 'csi.example.com', volumeHandle: name } },
        { csi: { driver: 'csi.example.com', volumeHandle: name } },
        { csi: { driver: 'other.example.com', volumeHandle: name } },
        { nfs: { server: 's', path: '/' } },
      ]),
      ...draw.parts({
        nodeAffinity: [0.6, () => ({ required: { nodeSelectorTerms: [required] } })],
        volumeMode: [0.1, () => draw.pick(['Block', 'Filesystem'])],
        volumeAttributesClassName: [0.05, () => 'gold'],
      }),
      ...(claim ? { claimRef: { namespace: 'default', name: claim, uid: `uid-${claim}` } } : {}),
    },
    status: { phase: claim ? 'Bound' : draw.pick(['Available', 'Available', 'Available', 'Released']) },
  })
}
