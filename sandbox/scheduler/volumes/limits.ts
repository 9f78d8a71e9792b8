import { controllerOf } from '../../kube/indexes.ts'
import {
  CSINode,
  keyOf,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
} from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { claimNames, classOf } from '../../kube/volumes.ts'
import { Action } from '../framework/events.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { type Plugin, PluginError, plugin } from '../framework/plugin.ts'
import { rejected, type Status, unresolvable } from '../framework/status.ts'
import { driverOfDisk, isMigratable } from './migrated-disks.ts'
import { notFound } from './not-found.ts'
import { CLAIM_ADDED, mountsClaim } from './storage-hints.ts'

const NAME = 'NodeVolumeLimits'
const TOO_MANY = rejected(NAME, 'node(s) exceed max volume count')

/** Volumes by what tells them apart, with their drivers. */
type Volumes = Map<string, string>

/** What the pod brings to a node, or why it can go nowhere: found out at the first node. */
interface State {
  brought?: Volumes | Status
}

/**
 * How many volumes of a driver a node takes, where its CSINode says so. Volumes of in-tree plugins are not counted.
 * Follows pkg/scheduler/framework/plugins/nodevolumelimits/csi.go.
 */
export const nodeVolumeLimits = (kube: Kube): Plugin =>
  plugin<State, undefined>({
    name: NAME,
    preFilter: ({ pod }) => (holdsVolumes(pod) ? { state: {} } : { skip: true }),
    filter(state, { pod }, node) {
      state.brought ??= broughtBy(kube, pod)
      if (!(state.brought instanceof Map)) return state.brought
      return state.brought.size > 0 && exceeds(kube, state.brought, node) ? TOO_MANY : undefined
    },
    events: [
      { resource: 'CSINode', actions: Action.Add },
      {
        resource: 'CSINode',
        actions: Action.Update,
        hint: (_, before, after) => hasGrown(before as o.CSINode, after as o.CSINode),
      },
      { resource: 'Pod', actions: Action.Delete, hint: (_, deleted) => freesVolumes(deleted as o.Pod) },
      { ...CLAIM_ADDED, hint: (pod, _, claim) => mountsClaim(pod, claim) },
      {
        resource: 'VolumeAttachment',
        actions: Action.Delete,
        hint: (pod, deleted) => mayUse(pod, (deleted as o.VolumeAttachment).spec.attacher),
      },
    ],
  })

function broughtBy(kube: Kube, pod: o.Pod): Volumes | Status {
  const volumes: Volumes = new Map()
  const missing = addVolumes(kube, pod, volumes)
  return missing === undefined ? volumes : unresolvable(NAME, missing)
}

function exceeds(kube: Kube, brought: Volumes, { name, pods }: NodeInfo): boolean {
  const limits = limitsOf(kube.get(CSINode, name))
  if (limits.size === 0) return false
  const there: Volumes = new Map()
  for (const { pod } of pods) if (pod.spec.volumes) addVolumes(kube, pod, there)
  const used = new Map<string, number>()
  const count = (driver: string) => used.set(driver, (used.get(driver) ?? 0) + 1)
  for (const driver of there.values()) count(driver)
  for (const [volume, driver] of attachedTo(kube, name)) if (!there.has(volume)) count(driver)
  for (const [volume, driver] of brought) if (!there.has(volume)) count(driver)
  const fresh = new Set([...brought].flatMap(([volume, driver]) => (there.has(volume) ? [] : [driver])))
  return [...fresh].some((driver) => limits.has(driver) && used.get(driver)! > limits.get(driver)!)
}

const limitsOf = (csiNode: o.CSINode | undefined): Map<string, number> =>
  new Map(
    (csiNode?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  )

/** Adds what the pod mounts; says which claim is missing. Throws a `PluginError` for a claim that is another pod's. */
function addVolumes(kube: Kube, pod: o.Pod, volumes: Volumes): string | undefined {
  let missing: string | undefined
  for (const { claim: name, ephemeral } of claimNames(pod)) {
    const key = `${pod.metadata.namespace}/${name}`
    const claim = kube.get(PersistentVolumeClaim, key)
    if (!claim) {
      missing ??= `looking up PVC ${key}: ${notFound(PersistentVolumeClaim, name)}`
      continue
    }
    if (ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid)
      throw new PluginError(
        `running "${NAME}" filter plugin: PVC ${key} was not created for pod ${keyOf(pod)} (pod is not owner)`,
      )
    const found = volumeOf(kube, claim)
    if (found) volumes.set(`${found.driver}/${found.volumeHandle}`, found.driver)
  }
  return missing
}

/** The driver of a claim's volume, or of its class where it has none yet. */
function volumeOf(
  kube: Kube,
  claim: o.PersistentVolumeClaim,
): { readonly driver: string; readonly volumeHandle: string } | undefined {
  const { volumeName } = claim.spec
  const volume = volumeName ? kube.get(PersistentVolume, volumeName) : undefined
  if (volume) return volume.spec.csi?.driver && volume.spec.csi.volumeHandle ? volume.spec.csi : undefined
  const driver = kube.get(StorageClass, classOf(claim))?.provisioner
  // nothing else has a handle like this
  return driver ? { driver, volumeHandle: `unbound ${keyOf(claim)}` } : undefined
}

const attachmentsByNode: Index<o.VolumeAttachment> = {
  kind: VolumeAttachment,
  name: 'node',
  values: ({ spec }) => [spec.nodeName],
}

/** Volumes that are attached to the node, whoever uses them. */
function attachedTo(kube: Kube, nodeName: string): Volumes {
  const found: Volumes = new Map()
  for (const { spec } of kube.indexed(attachmentsByNode, nodeName)) {
    const volume = kube.get(PersistentVolume, spec.source.persistentVolumeName ?? '')
    if (spec.attacher && volume?.spec.csi) found.set(`${spec.attacher}/${volume.spec.csi.volumeHandle}`, spec.attacher)
  }
  return found
}

const holdsVolumes = (pod: o.Pod): boolean =>
  pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim || volume.ephemeral || isMigratable(volume)) ?? false

const freesVolumes = (deleted: o.Pod): boolean =>
  Boolean(deleted.spec.nodeName || deleted.status?.nominatedNodeName) && holdsVolumes(deleted)

/** Whether the pod mounts a claim, or names a disk of the driver itself. */
const mayUse = ({ spec: { volumes = [] } }: o.Pod, driver: string): boolean =>
  volumes.some((volume) => volume.persistentVolumeClaim || driverOfDisk(volume) === driver)

/** Whether a node takes more volumes of a driver; one that has no limit counts as one that takes none. */
const hasGrown = (before: o.CSINode, after: o.CSINode): boolean => {
  const old = limitsOf(before)
  return [...limitsOf(after)].some(([driver, limit]) => limit > (old.get(driver) ?? 0))
}
