import { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { classOf } from '../../kube/volumes.ts'
import { Action } from '../framework/events.ts'
import { type Plugin, plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'
import { notFound } from './not-found.ts'
import { CLAIM_CHANGED, NODE_LABELLED, namedClaims, namesClaim } from './storage-hints.ts'

const NAME = 'VolumeZone'
const ZONES = [
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
]
const NO_ZONE = unresolvable(NAME, 'node(s) had no available volume zone')

/** A label of a volume and the values a node may have for it. */
type Zone = readonly [key: string, values: readonly string[]]

/** Zones that volumes carry as labels. Follows pkg/scheduler/framework/plugins/volumezone/volume_zone.go. */
export const volumeZone = (kube: Kube): Plugin =>
  plugin<readonly Zone[], undefined>({
    name: NAME,
    preFilter({ pod }) {
      const wanted = zonesFor(kube, pod)
      if (typeof wanted === 'string') return { status: unresolvable(NAME, wanted) }
      return wanted.length === 0 ? { skip: true } : { state: wanted }
    },
    filter(wanted, _, { node }) {
      const labels = node!.metadata.labels ?? {}
      if (!ZONES.some((zone) => labels[zone] !== undefined)) return undefined
      const at = (zone: string) => labels[zone] ?? labels[zone.replace('failure-domain.beta', 'topology')]
      return wanted.every(([zone, values]) => values.includes(at(zone) as string)) ? undefined : NO_ZONE
    },
    events: [
      { resource: 'StorageClass', actions: Action.Add, hint: (_, __, added) => bindsLate(added as o.StorageClass) },
      NODE_LABELLED,
      { ...CLAIM_CHANGED, hint: (pod, _, claim) => namesClaim(pod, claim) },
      {
        resource: 'PersistentVolume',
        actions: Action.Add | Action.Update,
        hint: (_, before, after) =>
          !before || textOf(before as o.PersistentVolume) !== textOf(after as o.PersistentVolume),
      },
    ],
  })

const bindsLate = ({ volumeBindingMode }: o.StorageClass): boolean => volumeBindingMode === 'WaitForFirstConsumer'

/** What the pod's volumes ask of a node's labels, or why the pod cannot be placed. */
function zonesFor(kube: Kube, pod: o.Pod): Zone[] | string {
  const wanted: Zone[] = []
  for (const name of namedClaims(pod)) {
    const claim = kube.get(PersistentVolumeClaim, `${pod.metadata.namespace}/${name}`)
    if (!claim) return notFound(PersistentVolumeClaim, name)
    const { volumeName } = claim.spec
    if (!volumeName) {
      const unbound = whyUnbound(kube, claim)
      if (unbound) return unbound
      continue
    }
    const volume = kube.get(PersistentVolume, volumeName)
    if (!volume) return notFound(PersistentVolume, volumeName)
    wanted.push(...zonesOf(volume))
  }
  return wanted
}

/** A label that names no zone, or an empty one among others, is overlooked. */
const zonesOf = ({ metadata: { labels = {} } }: o.PersistentVolume): Zone[] =>
  ZONES.flatMap((zone) => {
    const values = labels[zone]?.split('__').map((value) => value.trim())
    return values && !values.includes('') ? [[zone, values] as const] : []
  })

const textOf = (volume: o.PersistentVolume): string =>
  JSON.stringify(zonesOf(volume).map(([zone, values]) => [zone, [...new Set(values)].sort()]))

/** Undefined for a claim that is bound once a node is chosen. */
function whyUnbound(kube: Kube, claim: o.PersistentVolumeClaim): string | undefined {
  const name = classOf(claim)
  if (name === '') return 'PersistentVolumeClaim had no pv name and storageClass name'
  const storageClass = kube.get(StorageClass, name)
  if (!storageClass) return notFound({ kind: 'storageclass.storage.k8s.io' }, name)
  return bindsLate(storageClass) ? undefined : 'PersistentVolume had no name'
}
