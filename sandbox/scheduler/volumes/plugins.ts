import { type Kind, PersistentVolume, PersistentVolumeClaim, StorageClass, splitKey } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { claimNames, classOf } from '../../kube/volumes.ts'
import { Action } from '../framework/events.ts'
import { type Plugin, plugin } from '../framework/plugin.ts'
import { rejected, unresolvable } from '../framework/status.ts'
import { claimsOf, mountsClaims, type PodClaims, planFor } from './pod-volumes.ts'
import type { VolumeBinder } from './volume-binder.ts'

const STORAGE = { resource: 'Storage', actions: Action.All } as const
const NODES = { resource: 'Node', actions: Action.Add | Action.UpdateNodeLabel } as const

/** The plugins of volumes in their order: restrictions, binding, zones. Limits by node need CSINodes and are not modelled. */
export const volumePlugins = (binder: VolumeBinder): readonly Plugin[] => [
  volumeRestrictions(binder.kube),
  volumeBinding(binder),
  volumeZone(binder.kube),
]

const IN_USE = rejected(
  'VolumeRestrictions',
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
)

/** ReadWriteOncePod: one pod in the whole cluster. Follows plugins/volumerestrictions/volume_restrictions.go. */
const volumeRestrictions = (kube: Kube): Plugin =>
  plugin<{ claims: ReadonlySet<string>; users: number }, undefined>({
    name: 'VolumeRestrictions',
    preFilter({ pod }, snapshot) {
      const keys = keysOf(pod)
      if (keys.length === 0) return { skip: true }
      const found = new Map(keys.map((key) => [key, kube.get(PersistentVolumeClaim, key)]))
      const missing = keys.find((key) => !found.get(key))
      if (missing) return { status: unresolvable('VolumeRestrictions', notFound(PersistentVolumeClaim, missing)) }
      const claims = new Set(keys.filter((key) => found.get(key)!.spec.accessModes?.includes('ReadWriteOncePod')))
      const used = new Set<string>()
      for (const node of claims.size > 0 ? snapshot.nodes : [])
        for (const info of node.pods) for (const key of keysOf(info.pod)) if (claims.has(key)) used.add(key)
      return used.size === 0 ? { skip: true } : { state: { claims, users: used.size } }
    },
    filter: ({ users }) => (users > 0 ? IN_USE : undefined),
    cloneState: (state) => ({ ...state }),
    podChanged(state, _, changed, _node, sign) {
      for (const key of keysOf(changed.pod)) if (state.claims.has(key)) state.users += sign
    },
    events: [{ resource: 'Pod', actions: Action.Delete }, NODES, STORAGE],
  })

/** The keys of the claims that are mounted by name: ephemeral volumes are not looked at by restrictions and zones. */
const keysOf = (pod: o.Pod): string[] =>
  pod.spec.volumes
    ? claimNames(pod).flatMap(({ claim, ephemeral }) => (ephemeral ? [] : [`${pod.metadata.namespace}/${claim}`]))
    : []

const notFound = ({ kind }: Kind, key: string): string =>
  `${kind.toLowerCase()} ${JSON.stringify(splitKey(key).name)} not found`

/** Bound volumes must fit the node, others be found or made for it. Follows plugins/volumebinding/volume_binding.go. */
const volumeBinding = (binder: VolumeBinder): Plugin =>
  plugin<PodClaims, undefined>({
    name: 'VolumeBinding',
    preFilter({ pod }) {
      if (!mountsClaims(pod)) return { skip: true }
      const claims = claimsOf(binder.kube, pod)
      if (typeof claims === 'string') return { status: unresolvable('VolumeBinding', claims) }
      if (claims.immediate.length > 0)
        return { status: unresolvable('VolumeBinding', 'pod has unbound immediate PersistentVolumeClaims') }
      return { state: claims }
    },
    filter(claims, _, { node }) {
      const plan = planFor(binder.kube, claims, node!, binder.assumed)
      return Array.isArray(plan) ? unresolvable('VolumeBinding', ...plan) : undefined
    },
    events: [NODES, STORAGE],
  })

const ZONES = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]
const NO_ZONE = unresolvable('VolumeZone', 'node(s) had no available volume zone')

/** A label of a volume and the values a node may have for it. */
type Zone = readonly [key: string, values: readonly string[]]

/** Zones that volumes carry as labels. Follows plugins/volumezone/volume_zone.go. */
const volumeZone = (kube: Kube): Plugin =>
  plugin<readonly Zone[], undefined>({
    name: 'VolumeZone',
    preFilter({ pod }) {
      const wanted = zonesOf(kube, pod)
      if (typeof wanted === 'string') return { status: unresolvable('VolumeZone', wanted) }
      return wanted.length === 0 ? { skip: true } : { state: wanted }
    },
    filter(wanted, _, { node }) {
      const labels = node!.metadata.labels ?? {}
      if (!ZONES.some((zone) => labels[zone] !== undefined)) return undefined
      const at = (zone: string) => labels[zone] ?? labels[zone.replace('failure-domain.beta', 'topology')]
      return wanted.every(([zone, values]) => values.includes(at(zone) as string)) ? undefined : NO_ZONE
    },
    events: [NODES, STORAGE],
  })

/** What the pod's volumes ask of a node's labels, or why the pod cannot be placed. */
function zonesOf(kube: Kube, pod: o.Pod): Zone[] | string {
  const wanted: Zone[] = []
  for (const key of keysOf(pod)) {
    const claim = kube.get(PersistentVolumeClaim, key)
    if (!claim) return notFound(PersistentVolumeClaim, key)
    const { volumeName } = claim.spec
    if (!volumeName) {
      const unbound = whyUnbound(kube, claim)
      if (unbound) return unbound
      continue
    }
    const volume = kube.get(PersistentVolume, volumeName)
    if (!volume) return notFound(PersistentVolume, volumeName)
    const { labels = {} } = volume.metadata
    for (const zone of ZONES) if (labels[zone]) wanted.push([zone, labels[zone].split('__')])
  }
  return wanted
}

/** Undefined for a claim that is bound once a node is chosen. */
function whyUnbound(kube: Kube, claim: o.PersistentVolumeClaim): string | undefined {
  const name = classOf(claim)
  if (name === '') return 'PersistentVolumeClaim had no pv name and storageClass name'
  const storageClass = kube.get(StorageClass, name)
  if (!storageClass) return notFound({ ...StorageClass, kind: 'storageclass.storage.k8s.io' }, name)
  return storageClass.volumeBindingMode === 'WaitForFirstConsumer' ? undefined : 'PersistentVolume had no name'
}
