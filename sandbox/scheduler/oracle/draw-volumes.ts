import type * as o from '../../kube/objects.ts'
import type { Draw } from './draw.ts'

/** Claims in every state, their volumes and classes. */
export interface Storage {
  readonly objects: readonly o.KubeObject[]
  /** What the pod mounts. */
  readonly volumes: NonNullable<o.PodSpec['volumes']>
}

const CLASSES = [
  { name: 'late', volumeBindingMode: 'WaitForFirstConsumer', provisioner: 'csi.example.com' },
  { name: 'local', volumeBindingMode: 'WaitForFirstConsumer', provisioner: 'kubernetes.io/no-provisioner' },
  { name: 'now', volumeBindingMode: 'Immediate', provisioner: 'csi.example.com' },
]

function made(apiVersion: string, kind: string, name: string, rest: { metadata?: object; [field: string]: unknown }) {
  const metadata = { name, uid: `uid-${name}`, ...rest.metadata }
  return { ...{ apiVersion, kind }, ...rest, metadata } as unknown as o.KubeObject
}

/** Storage for a pod of the namespace default called `pod`. */
export function drawStorage(draw: Draw, pod: string): Storage {
  const objects = CLASSES.map(({ name, ...rest }) =>
    made('storage.k8s.io/v1', 'StorageClass', name, { ...rest, ...topologies(draw) }),
  )
  const spare = draw.list(draw.from(0, 4), (i) => drawVolume(draw, `spare-${i}`, draw.pick(['local', 'late', 'local'])))
  const volumes: object[] = []
  for (const i of [0, 1].slice(0, draw.pick([1, 1, 2]))) {
    const ephemeral = draw.chance(0.1)
    const name = ephemeral ? `${pod}-v${i}` : `claim-${i}`
    volumes.push(
      ephemeral
        ? { name: `v${i}`, ephemeral: { volumeClaimTemplate: { spec: {} } } }
        : { name: `v${i}`, persistentVolumeClaim: { claimName: name } },
    )
    if (!draw.chance(0.03)) objects.push(...drawClaim(draw, name, pod))
  }
  return { objects: [...objects, ...spare], volumes: volumes as Storage['volumes'] }
}

const topologies = (draw: Draw): Record<string, unknown> =>
  draw.parts({
    allowedTopologies: [
      0.3,
      () => [{ matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['z1', 'z2'] }] }],
    ],
  })

/** A claim, and the volume it is bound to where it is. */
function drawClaim(draw: Draw, name: string, pod: string): o.KubeObject[] {
  const storageClassName = draw.pick(['late', 'local', 'local', 'now'])
  const bound = draw.chance(0.5)
  const selected = !bound && draw.chance(0.1)
  const claim = made('v1', 'PersistentVolumeClaim', name, {
    metadata: {
      namespace: 'default',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod, uid: `uid-${pod}`, controller: true }],
      annotations: {
        ...(bound && draw.chance(0.95) ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {}),
        ...(selected ? { 'volume.kubernetes.io/selected-node': draw.pick(['n0', 'n1']) } : {}),
      },
      ...draw.parts({ deletionTimestamp: [0.02, () => '1999-12-31T23:00:00Z'], finalizers: [1, () => ['x']] }),
    },
    spec: {
      storageClassName,
      accessModes: [draw.pick(['ReadWriteOnce', 'ReadWriteOnce', 'ReadWriteOncePod'])],
      resources: { requests: { storage: draw.pick(['1Gi', '10Gi', '100Gi']) } },
      ...(bound ? { volumeName: `pv-${name}` } : {}),
      ...draw.parts({ selector: [0.1, () => ({ matchLabels: { disk: 'fast' } })] }),
    },
    status: { phase: bound ? (draw.chance(0.02) ? 'Lost' : 'Bound') : 'Pending' },
  })
  const volume = drawVolume(draw, `pv-${name}`, storageClassName, name)
  return bound && draw.chance(0.97) ? [claim, volume] : [claim]
}

function drawVolume(draw: Draw, name: string, storageClassName: string, claim?: string): o.KubeObject {
  const zones = draw.list(draw.from(1, 2), () => draw.pick(['z1', 'z2', 'z3']))
  const nodeAffinity = draw.pick([
    { key: 'topology.kubernetes.io/zone', operator: 'In', values: zones },
    { key: 'kubernetes.io/hostname', operator: 'In', values: [`n${draw.from(0, 4)}`] },
  ])
  return made('v1', 'PersistentVolume', name, {
    metadata: {
      labels: draw.parts({
        'topology.kubernetes.io/zone': [0.3, () => draw.pick(['z1', 'z2', 'z1__z2'])],
        'topology.kubernetes.io/region': [0.1, () => 'eu'],
        disk: [0.5, () => 'fast'],
      }),
    },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce', ...(draw.chance(0.7) ? ['ReadWriteOncePod'] : [])],
      capacity: { storage: draw.pick(['1Gi', '10Gi', '50Gi', '200Gi']) },
      csi: { driver: 'csi.example.com', volumeHandle: name },
      ...draw.parts({
        nodeAffinity: [0.6, () => ({ required: { nodeSelectorTerms: [{ matchExpressions: [nodeAffinity] }] } })],
      }),
      ...(claim ? { claimRef: { namespace: 'default', name: claim, uid: `uid-${claim}` } } : {}),
    },
    status: { phase: claim ? 'Bound' : draw.pick(['Available', 'Available', 'Released']) },
  })
}
