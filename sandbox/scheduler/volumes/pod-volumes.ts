import { controllerOf } from '../../kube/indexes.ts'
import { keyOf, Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { compareQuantities, parseQuantity } from '../../kube/quantity.ts'
import {
  bindsLate,
  claimNames,
  classOf,
  isBound,
  isVolumeFor,
  matchingVolume,
  NO_PROVISIONER,
  SELECTED_NODE,
  volumeFitsNode,
} from '../../kube/volumes.ts'
import { hasRoom } from './capacity.ts'

// follows pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go

/** A pod's claims by what there is to do for them. */
export interface PodClaims {
  readonly bound: readonly o.PersistentVolumeClaim[]
  /** Bound when a node is chosen. */
  readonly late: readonly o.PersistentVolumeClaim[]
  /** To be bound by the controller, and not bound yet. */
  readonly immediate: readonly o.PersistentVolumeClaim[]
}

/** What is to be bound or made for a pod on one node. */
export interface Plan {
  readonly bindings: readonly { readonly claim: o.PersistentVolumeClaim; readonly volume: o.PersistentVolume }[]
  readonly provisions: readonly o.PersistentVolumeClaim[]
}

export const mountsClaims = (pod: o.Pod): boolean =>
  pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim || volume.ephemeral) ?? false

/** The pod's claims, or why it cannot be scheduled at all. Follows podHasPVCs and GetPodVolumeClaims. */
export function claimsOf(kube: Kube, pod: o.Pod): PodClaims | string {
  const sorted = { bound: [], late: [], immediate: [] } as Record<keyof PodClaims, o.PersistentVolumeClaim[]>
  for (const { claim: name, ephemeral } of claimNames(pod)) {
    const claim = kube.get(PersistentVolumeClaim, `${pod.metadata.namespace}/${name}`)
    if (!claim)
      return ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`
    if (claim.status?.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`
    if (ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid)
      return `PVC ${keyOf(claim)} was not created for pod ${keyOf(pod)} (pod is not owner)`
    if (isBound(claim)) sorted.bound.push(claim)
    else if (bindsLate(kube, claim) && !claim.spec.volumeName) sorted.late.push(claim)
    else sorted.immediate.push(claim)
  }
  return sorted
}

export const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
export const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
export const NO_ROOM = 'node(s) did not have enough free storage'
export const NO_VOLUME = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

/** What would be done on the node, or why it cannot be. `assumed`: volumes others have been promised. Follows FindPodVolumes. */
export function planFor(
  kube: Kube,
  { bound, late }: PodClaims,
  node: o.Node,
  assumed: ReadonlyMap<string, string>,
): Plan | string[] {
  const amiss = whyUnreachable(kube, bound, node)
  const plan = planLate(kube, late, node, assumed)
  if (typeof plan === 'object' && !amiss) return plan
  const why = [amiss, typeof plan === 'string' ? plan : undefined]
  return REASONS.filter((reason) => why.includes(reason))
}

/** In the order in which they are told. */
const REASONS = [NODE_CONFLICT, BIND_CONFLICT, NO_ROOM, NO_VOLUME]

/** What is wrong with the first bound claim whose volume is not for the node. Follows checkBoundClaims. */
function whyUnreachable(kube: Kube, bound: PodClaims['bound'], node: o.Node): string | undefined {
  for (const claim of bound) {
    const volume = kube.get(PersistentVolume, claim.spec.volumeName!)
    if (!volume) return NO_VOLUME
    if (!volumeFitsNode(volume, node)) return NODE_CONFLICT
  }
  return undefined
}

function planLate(
  kube: Kube,
  late: readonly o.PersistentVolumeClaim[],
  node: o.Node,
  assumed: ReadonlyMap<string, string>,
): Plan | string {
  if (late.length === 0) return { bindings: [], provisions: [] }
  const provisions: o.PersistentVolumeClaim[] = []
  const open: o.PersistentVolumeClaim[] = []
  for (const claim of late) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected === undefined) open.push(claim)
    else if (selected === node.metadata.name) provisions.push(claim)
    else return BIND_CONFLICT
  }
  const bindings: { claim: o.PersistentVolumeClaim; volume: o.PersistentVolume }[] = []
  const taken = new Set(assumed.keys())
  for (const claim of open.sort(bySize)) {
    const volumes = kube.list(PersistentVolume).filter((volume) => classOf(volume) === classOf(claim))
    const volume = matchingVolume(claim, volumes, { node, late: true, excluded: taken })
    if (!volume) provisions.push(claim)
    else {
      taken.add(volume.metadata.name)
      bindings.push({ claim, volume })
    }
  }
  for (const claim of provisions) {
    const reason = whyNotMade(kube, claim, node)
    if (reason) return reason
  }
  return { bindings, provisions }
}

const bySize = (a: o.PersistentVolumeClaim, b: o.PersistentVolumeClaim): number => {
  const size = ({ spec }: o.PersistentVolumeClaim) => parseQuantity(spec.resources?.requests?.storage ?? '0')
  return compareQuantities(size(a), size(b))
}

/** Why the claim's class makes no volume that the node reaches; undefined when it does. Follows checkVolumeProvisions. */
function whyNotMade(kube: Kube, claim: o.PersistentVolumeClaim, node: o.Node): string | undefined {
  const storageClass = kube.get(StorageClass, classOf(claim))
  if (!storageClass?.provisioner || storageClass.provisioner === NO_PROVISIONER) return BIND_CONFLICT
  const { allowedTopologies = [] } = storageClass
  const labels = node.metadata.labels ?? {}
  const isThere = allowedTopologies.some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 &&
      matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] as string)),
  )
  if (allowedTopologies.length > 0 && !isThere) return BIND_CONFLICT
  return hasRoom(kube, claim, storageClass, node) ? undefined : NO_ROOM
}

/** Whether all that was to be done for a pod has been done. Follows checkBindings. Throws an Error when it never will be. */
export function isDone(kube: Kube, { bindings, provisions }: Plan, nodeName: string): boolean {
  const current = (claim: o.PersistentVolumeClaim) => {
    const found = kube.get(PersistentVolumeClaim, `${claim.metadata.namespace}/${claim.metadata.name}`)
    if (found?.metadata.uid === claim.metadata.uid) return found
    throw new Error(`pvc "${claim.metadata.namespace}/${claim.metadata.name}" was deleted`)
  }
  for (const { claim, volume } of bindings) {
    const held = kube.get(PersistentVolume, volume.metadata.name)
    if (!held || !isVolumeFor(held, claim) || !isBound(current(claim))) return false
  }
  const node = kube.get(Node, nodeName)
  for (const claim of provisions) {
    const found = current(claim)
    if (!isBound(found)) return false
    const volume = kube.get(PersistentVolume, found.spec.volumeName!)
    if (!volume) return false
    if (node && !volumeFitsNode(volume, node))
      throw new Error(
        `pv "${volume.metadata.name}" node affinity doesn't match node "${nodeName}": no matching NodeSelectorTerms`,
      )
  }
  return true
}
