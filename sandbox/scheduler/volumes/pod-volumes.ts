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
export const NO_VOLUME = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

/** What would be done on the node, or why it cannot be. `assumed`: volumes others have been promised. Follows FindPodVolumes. */
export function planFor(
  kube: Kube,
  { bound, late }: PodClaims,
  node: o.Node,
  assumed: ReadonlyMap<string, string>,
): Plan | string[] {
  const reasons: string[] = []
  for (const claim of bound) {
    const volume = kube.get(PersistentVolume, claim.spec.volumeName!)
    if (!volume) reasons.push(NO_VOLUME)
    else if (!volumeFitsNode(volume, node)) reasons.push(NODE_CONFLICT)
    if (reasons.length > 0) break
  }
  const plan = planLate(kube, late, node, assumed)
  if (!plan) reasons.push(BIND_CONFLICT)
  return reasons.length > 0 || !plan ? reasons : plan
}

function planLate(
  kube: Kube,
  late: readonly o.PersistentVolumeClaim[],
  node: o.Node,
  assumed: ReadonlyMap<string, string>,
): Plan | undefined {
  if (late.length === 0) return { bindings: [], provisions: [] }
  const provisions: o.PersistentVolumeClaim[] = []
  const open: o.PersistentVolumeClaim[] = []
  for (const claim of late) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected === undefined) open.push(claim)
    else if (selected === node.metadata.name) provisions.push(claim)
    else return undefined
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
  return provisions.every((claim) => mayBeMadeFor(kube, claim, node)) ? { bindings, provisions } : undefined
}

const bySize = (a: o.PersistentVolumeClaim, b: o.PersistentVolumeClaim): number => {
  const size = ({ spec }: o.PersistentVolumeClaim) => parseQuantity(spec.resources?.requests?.storage ?? '0')
  return compareQuantities(size(a), size(b))
}

/** Whether the claim's class makes volumes that the node reaches. Follows checkVolumeProvisions, without storage capacity. */
function mayBeMadeFor(kube: Kube, claim: o.PersistentVolumeClaim, node: o.Node): boolean {
  const storageClass = kube.get(StorageClass, classOf(claim))
  if (!storageClass || storageClass.provisioner === NO_PROVISIONER) return false
  const { allowedTopologies = [] } = storageClass
  if (allowedTopologies.length === 0) return true
  const labels = node.metadata.labels ?? {}
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
  )
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
