import { isApiError } from '../kube/errors.ts'
import * as kinds from '../kube/kinds.ts'
import { type Kind, kindOf } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject, OwnerReference } from '../kube/objects.ts'
import { allSettled, type Task } from '../world/actor.ts'
import { type ControllerContext, type ControllerSpec, controller } from './controller.ts'
import { blockingDependents, FOREGROUND, type GraphNode, ORPHAN, OwnerGraph } from './garbage/graph.ts'
import { deleteAsRead, keyOfNode, live, patchOwners, removeFinalizer } from './garbage/requests.ts'
import { RetryError } from './retry.ts'
import type { WorkQueue } from './workqueue.ts'

/** What is watched for owners and dependents when nothing else is asked for: all that is served but Events. */
const DEFAULT_KINDS: readonly Kind[] = [
  kinds.Pod,
  kinds.Node,
  kinds.Service,
  kinds.ConfigMap,
  kinds.Secret,
  kinds.ServiceAccount,
  kinds.PersistentVolumeClaim,
  kinds.PersistentVolume,
  kinds.VolumeAttachment,
  kinds.Deployment,
  kinds.ReplicaSet,
  kinds.StatefulSet,
  kinds.DaemonSet,
  kinds.ControllerRevision,
  kinds.Job,
  kinds.EndpointSlice,
  kinds.Lease,
]

const DELETE = 'delete '
const ORPHAN_DEPENDENTS = 'orphan '

/**
 * Deletes what its owners have left behind, and carries out foreground deletion and orphaning: one instance a running control
 * plane. `custom` are kinds watched besides the built-in ones. Follows pkg/controller/garbagecollector/garbagecollector.go.
 */
export function garbageCollector(options: { custom?: readonly Kind[] } = {}): ControllerSpec {
  const monitored = new Map([...DEFAULT_KINDS, ...(options.custom ?? [])].map((kind) => [kind.id, kind]))
  let state: Collector | undefined
  return controller({
    name: 'garbage-collector-controller',
    workers: 20,
    watches: [
      (context) => {
        const graph = monitor(context, [...monitored.values()])
        // upstream doubles this client's limits, because a deletion takes a read and a write: each has its own here
        state = {
          graph,
          monitored,
          reads: context.kube,
          writes: context.kube.client('garbage-collector-writes'),
          queue: context.queue,
        }
      },
    ],
    *reconcile(key) {
      const { graph, writes } = state!
      const node = graph.node(key.slice(key.indexOf(' ') + 1))
      if (!node) return
      if (key.startsWith(ORPHAN_DEPENDENTS)) return yield* orphanDependents(writes, node)
      mustBeKnown(monitored, node.kind)
      yield* attemptToDelete(state!, node)
      if (node.virtual && graph.node(node.uid) === node)
        throw new RetryError(`${node.kind.kind} ${keyOfNode(node)} has not been observed yet`, { quiet: true })
    },
  })
}

interface Collector {
  readonly graph: OwnerGraph
  readonly monitored: ReadonlyMap<string, Kind>
  readonly reads: Kube
  readonly writes: Kube
  readonly queue: WorkQueue
}

/** A kind nobody serves may be served later: its objects cannot be said to be absent. */
function mustBeKnown(monitored: ReadonlyMap<string, Kind>, { id, kind, apiVersion }: Kind): void {
  if (!monitored.has(id)) throw new RetryError(`no matches for kind "${kind}" in version "${apiVersion}"`)
}

/** One graph fed by a monitor a kind. */
function monitor({ kube, queue }: ControllerContext, watched: readonly Kind[]): OwnerGraph {
  const graph = new OwnerGraph({
    attemptToDelete: (uid) => queue.add(DELETE + uid),
    attemptToOrphan: (uid) => queue.add(ORPHAN_DEPENDENTS + uid),
  })
  for (const kind of watched)
    kube.watch(kind, {
      added: (object) => graph.observed(kind, undefined, object),
      updated: (before, object) => graph.observed(kind, before, object),
      deleted: (object) => graph.gone(object.metadata.uid),
    })
  return graph
}

/** Follows attemptToDeleteItem. */
function* attemptToDelete(collector: Collector, node: GraphNode): Task {
  const { graph, reads, writes } = collector
  if (node.beingDeleted && !node.deletingDependents) return
  const latest = yield* live(reads, node)
  if (!latest) return graph.gone(node.uid)
  if (node.deletingDependents) return yield* waitForDependents(collector, node)
  const owners = latest.metadata.ownerReferences ?? []
  if (owners.length === 0) return
  const { solid, dangling, waiting } = yield* classify(collector, node, owners)
  if (solid.length > 0) {
    const lost = new Set([...dangling, ...waiting].map((ref) => ref.uid))
    if (lost.size > 0) yield* patchOwners(writes, node, (refs) => refs.filter((ref) => !lost.has(ref.uid)))
    return
  }
  try {
    if (waiting.length > 0 && node.dependents.size > 0) {
      // owners that wait for each other would wait for ever
      if ([...node.dependents].some((dependent) => dependent.deletingDependents))
        yield* patchOwners(writes, node, (refs) => refs.map((ref) => ({ ...ref, blockOwnerDeletion: false })))
      yield* deleteAsRead(writes, node, latest, 'Foreground')
    } else yield* deleteAsRead(writes, node, latest, policyOf(latest))
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
    graph.gone(node.uid)
  }
}

/** What the object itself asks for by its finalizers. */
function policyOf({ metadata }: KubeObject): 'Orphan' | 'Foreground' | 'Background' {
  const { finalizers = [] } = metadata
  if (finalizers.includes(ORPHAN)) return 'Orphan'
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
}

/** Follows processDeletingDependentsItem: the owner goes when nothing holds it any more. */
function* waitForDependents({ writes, queue }: Collector, node: GraphNode): Task {
  const blocking = blockingDependents(node)
  if (blocking.length === 0) return yield* removeFinalizer(writes, node, FOREGROUND)
  for (const dependent of blocking) if (!dependent.deletingDependents) queue.add(DELETE + dependent.uid)
}

/** Follows orphanDependents and attemptToOrphanWorker. */
function* orphanDependents(kube: Kube, node: GraphNode): Task {
  const withoutIt = (refs: readonly OwnerReference[]) => refs.filter((ref) => ref.uid !== node.uid)
  const outcomes = yield* allSettled([...node.dependents].map((dependent) => patchOwners(kube, dependent, withoutIt)))
  for (const outcome of outcomes) if ('error' in outcome && !isApiError(outcome.error, 'NotFound')) throw outcome.error
  yield* removeFinalizer(kube, node, ORPHAN)
}

interface Classified {
  readonly solid: OwnerReference[]
  readonly dangling: OwnerReference[]
  readonly waiting: OwnerReference[]
}

/** Owners that exist, that do not, and that wait for their dependents to go. Follows classifyReferences and isDangling. */
function* classify(
  { graph, monitored, reads }: Collector,
  node: GraphNode,
  owners: readonly OwnerReference[],
): Task<Classified> {
  const out: Classified = { solid: [], dangling: [], waiting: [] }
  for (const ref of owners) {
    if (graph.isAbsent(ref.uid)) {
      out.dangling.push(ref)
      continue
    }
    const kind = kindOf(ref)
    mustBeKnown(monitored, kind)
    const { name, uid } = ref
    const owner = yield* live(reads, {
      ...node,
      uid,
      name,
      kind,
      namespace: kind.namespaced ? node.namespace : undefined,
    })
    if (!owner) {
      graph.noteAbsent(uid)
      out.dangling.push(ref)
    } else if (owner.metadata.deletionTimestamp && owner.metadata.finalizers?.includes(FOREGROUND))
      out.waiting.push(ref)
    else out.solid.push(ref)
  }
  return out
}
