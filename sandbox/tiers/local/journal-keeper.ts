import { diff } from '../../journal/merge-patch.ts'
import { Event, type Kind, keyOf, Lease, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { KubeEvent, KubeObject } from '../../kube/objects.ts'
import { objectPath } from '../../kube/remote/paths.ts'
import type { World } from '../../world/world.ts'
import type { Causes, Part } from './causes.ts'

interface JournalKeeperOptions {
  readonly world: World
  /** A view of its own; the first that watches a kind, so that what others make of a change stands behind it. */
  readonly kube: Kube
  readonly causes: Causes
  readonly kinds: readonly Kind[]
}

/**
 * Writes into the journal what a real API server's objects become, as the simulated store does with its own. What the cluster came with
 * enters at its first change. Renewals of leases are left out. Events of our own processes are in the journal already.
 */
export function keepJournal({ world, kube, causes, kinds }: JournalKeeperOptions): void {
  for (const kind of kinds) {
    const known = new Set<string>()
    let begun = false
    const write = (verb: 'ADDED' | 'MODIFIED', object: KubeObject, value: unknown) => {
      const { uid, resourceVersion: version } = object.metadata
      known.add(uid)
      const by = verb === 'MODIFIED' && isBinding(kind, value) ? SCHEDULER : causes.writer(uid, partOf(value))
      const resourceVersion = Number(version)
      world.journal.append({ type: 'object', verb, kind: kind.id, key: keyOf(object), resourceVersion, by, value })
    }
    kube.watch(kind, {
      added(object) {
        if (!begun) return
        write('ADDED', object, object)
        if (kind.id === Event.id) tell(object as KubeEvent)
      },
      updated(before, object) {
        if (kind.id === Lease.id) return
        if (known.has(object.metadata.uid)) write('MODIFIED', object, diff(before, object))
        else write('ADDED', object, object)
        if (kind.id === Event.id && timesOf(object as KubeEvent) > timesOf(before as KubeEvent))
          tell(object as KubeEvent)
      },
      deleted(object) {
        const { uid, resourceVersion: version } = object.metadata
        const key = keyOf(object)
        const by = causes.deleter(objectPath(kind, key), uid)
        if (!known.delete(uid)) return
        world.journal.append({
          type: 'object',
          verb: 'DELETED',
          kind: kind.id,
          key,
          resourceVersion: Number(version),
          by,
        })
      },
    })
    begun = true
  }

  function tell({ metadata, involvedObject, type, reason, message }: KubeEvent): void {
    const by = causes.writer(metadata.uid, 'rest')
    if (causes.isOwn(by)) return
    const { kind, namespace, name } = involvedObject
    const key = keyOf({ metadata: { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) } })
    const level = type === 'Warning' ? 'Warning' : 'Normal'
    const said = message.replace(/^\(combined from similar events\): /, '')
    world.journal.append({ type: 'event', by, level, reason, message: said, kind: kind ?? '', key })
  }
}

const SCHEDULER = 'kube-scheduler'

/** A binding leaves no manager behind. */
const isBinding = ({ id }: Kind, patch: unknown): boolean =>
  id === Pod.id && (patch as { spec?: { nodeName?: string } }).spec?.nodeName !== undefined

/** What a patch changes, beside the version. */
const partOf = (patch: unknown): Part =>
  Object.keys(patch as object).every((key) => key === 'status' || key === 'metadata') && 'status' in (patch as object)
    ? 'status'
    : 'rest'

/** How often it happened so far. */
const timesOf = ({ count, series }: KubeEvent & { series?: { count?: number } }): number => series?.count ?? count ?? 1
