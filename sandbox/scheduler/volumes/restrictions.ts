import { PersistentVolumeClaim } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { Action } from '../framework/events.ts'
import { type Plugin, plugin, type Snapshot } from '../framework/plugin.ts'
import { rejected, unresolvable } from '../framework/status.ts'
import { namesDisk, sharesDisk } from './disks.ts'
import { notFound } from './not-found.ts'
import { CLAIM_ADDED, NODE_ADDED, namedClaims, namesClaim } from './storage-hints.ts'

const NAME = 'VolumeRestrictions'
const NO_DISK = rejected(NAME, 'node(s) had no available disk')
const IN_USE = rejected(
  NAME,
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
)

interface State {
  /** The pod's claims that one pod alone may use. */
  readonly claims: ReadonlySet<string>
  /** How often placed pods use them. */
  uses: number
}

/**
 * Disks that pods name themselves, and ReadWriteOncePod: one pod in the whole cluster.
 * Follows pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go.
 */
export const volumeRestrictions = (kube: Kube): Plugin =>
  plugin<State, undefined>({
    name: NAME,
    preFilter({ pod }, snapshot) {
      if (!pod.spec.volumes?.length) return { skip: true }
      const claims = new Set<string>()
      for (const name of namedClaims(pod)) {
        const claim = kube.get(PersistentVolumeClaim, `${pod.metadata.namespace}/${name}`)
        if (!claim) return { status: unresolvable(NAME, notFound(PersistentVolumeClaim, name)) }
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) claims.add(name)
      }
      const uses = used(claims, pod, snapshot)
      return uses === 0 && !namesDisk(pod) ? { skip: true } : { state: { claims, uses } }
    },
    filter({ uses }, { pod }, { pods }) {
      if (namesDisk(pod) && pods.some((other) => sharesDisk(pod, other.pod))) return NO_DISK
      return uses > 0 ? IN_USE : undefined
    },
    cloneState: (state) => ({ ...state }),
    // upstream overlooks the namespace here
    podChanged(state, _, changed, _node, sign) {
      for (const name of namedClaims(changed.pod)) if (state.claims.has(name)) state.uses += sign
    },
    events: [
      { resource: 'Pod', actions: Action.Delete, hint: (pod, deleted) => frees(pod, deleted as o.Pod) },
      NODE_ADDED,
      { ...CLAIM_ADDED, hint: (pod, _, claim) => namesClaim(pod, claim) },
    ],
  })

/** How many of the claims placed pods use. */
function used(claims: ReadonlySet<string>, { metadata: { namespace } }: o.Pod, snapshot: Snapshot): number {
  if (claims.size === 0) return 0
  const found = new Set<string>()
  for (const { pods } of snapshot.nodes)
    for (const { pod } of pods)
      if (pod.metadata.namespace === namespace)
        for (const name of namedClaims(pod)) if (claims.has(name)) found.add(name)
  return found.size
}

function frees(pod: o.Pod, deleted: o.Pod): boolean {
  if (deleted.metadata.namespace !== pod.metadata.namespace) return false
  if (sharesDisk(pod, deleted)) return true
  const claims = namedClaims(pod)
  return namedClaims(deleted).some((name) => claims.includes(name))
}
