import { PersistentVolume, PersistentVolumeClaim } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { claimNames } from '../../kube/volumes.ts'
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
      if (!mountsClaims(pod)) return { skip: true }
      const claims = new Set(exclusiveClaims(kube, pod))
      if (claims.size === 0) return { skip: true }
      let users = 0
      for (const node of snapshot.nodes) for (const info of node.pods) users += usesOf(claims, info.pod)
      return { state: { claims, users } }
    },
    filter: ({ users }) => (users > 0 ? IN_USE : undefined),
    cloneState: (state) => ({ ...state }),
    podChanged(state, _, changed, _node, sign) {
      state.users += sign * usesOf(state.claims, changed.pod)
    },
    events: [{ resource: 'Pod', actions: Action.Delete }, NODES, STORAGE],
  })

const keysOf = (pod: o.Pod): string[] => claimNames(pod).map(({ claim }) => `${pod.metadata.namespace}/${claim}`)
const usesOf = (claims: ReadonlySet<string>, pod: o.Pod): number =>
  pod.spec.volumes ? keysOf(pod).filter((key) => claims.has(key)).length : 0
const exclusiveClaims = (kube: Kube, pod: o.Pod): string[] =>
  keysOf(pod).filter((key) => kube.get(PersistentVolumeClaim, key)?.spec.accessModes?.includes('ReadWriteOncePod'))

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

/** Zones that volumes carry as labels. Follows plugins/volumezone/volume_zone.go. */
const volumeZone = (kube: Kube): Plugin =>
  plugin<readonly (readonly [key: string, values: readonly string[]])[], undefined>({
    name: 'VolumeZone',
    preFilter({ pod }) {
      if (!mountsClaims(pod)) return { skip: true }
      const wanted = keysOf(pod).flatMap((key) => {
        const name = kube.get(PersistentVolumeClaim, key)?.spec.volumeName
        const labels = (name && kube.get(PersistentVolume, name)?.metadata.labels) || {}
        return ZONES.filter((zone) => labels[zone]).map((zone) => [zone, labels[zone]!.split('__')] as const)
      })
      return wanted.length === 0 ? { skip: true } : { state: wanted }
    },
    filter(wanted, _, { node }) {
      const labels = node!.metadata.labels ?? {}
      if (!ZONES.some((zone) => labels[zone])) return undefined
      return wanted.every(([zone, values]) => values.includes(labels[zone] ?? '')) ? undefined : NO_ZONE
    },
    events: [NODES, STORAGE],
  })
