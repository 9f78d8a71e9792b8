import type * as o from '../../kube/objects.ts'

// follows isVolumeConflict in pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go

type Volume = NonNullable<o.PodSpec['volumes']>[number]

/** A disk that a pod names itself, as far as it decides what may use it beside. */
interface Disk {
  readonly pdName?: string
  readonly volumeID?: string
  readonly iqn?: string
  readonly monitors?: readonly string[]
  readonly pool?: string
  readonly image?: string
  readonly readOnly?: boolean
}

/** Whether two uses of disks of one kind are of the same disk and do not go together. */
type Conflict = (a: Disk, b: Disk) => boolean

const oneWrites = (a: Disk, b: Disk): boolean => !(a.readOnly && b.readOnly)
/** What an API server fills in. */
const RBD_POOL = 'rbd'

const CONFLICTS: Readonly<Record<string, Conflict>> = {
  gcePersistentDisk: (a, b) => a.pdName === b.pdName && oneWrites(a, b),
  awsElasticBlockStore: (a, b) => a.volumeID === b.volumeID,
  iscsi: (a, b) => a.iqn === b.iqn && oneWrites(a, b),
  rbd: (a, b) =>
    (a.monitors ?? []).some((monitor) => b.monitors?.includes(monitor)) &&
    (a.pool ?? RBD_POOL) === (b.pool ?? RBD_POOL) &&
    a.image === b.image &&
    oneWrites(a, b),
}
const KINDS = Object.keys(CONFLICTS)

const disksOf = (volumes: readonly Volume[] | undefined, kind: string): Disk[] =>
  (volumes ?? []).flatMap((volume) => (volume[kind] ? [volume[kind] as Disk] : []))

/** Whether the pod names a disk that not every other pod may use at the same time. */
export const namesDisk = ({ spec: { volumes } }: o.Pod): boolean =>
  volumes?.some((volume) => KINDS.some((kind) => volume[kind])) ?? false

/** Whether two pods name a disk that they may not both use on one node. */
export const sharesDisk = (pod: o.Pod, other: o.Pod): boolean =>
  Boolean(other.spec.volumes) &&
  KINDS.some((kind) =>
    disksOf(pod.spec.volumes, kind).some((disk) =>
      disksOf(other.spec.volumes, kind).some((used) => CONFLICTS[kind]!(disk, used)),
    ),
  )
