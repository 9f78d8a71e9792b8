import type { Kind } from '../../kube/kinds.ts'
import { kindOf } from '../../kube/kinds.ts'
import type { KubeObject, OwnerReference } from '../../kube/objects.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** An object and who depends on it. */
export interface GraphNode {
  readonly uid: string
  readonly kind: Kind
  readonly namespace: string | undefined
  readonly name: string
  owners: readonly OwnerReference[]
  readonly dependents: Set<GraphNode>
  /** Known only from a reference to it: no monitor has shown it yet. */
  virtual: boolean
  beingDeleted: boolean
  /** Waits, by its finalizer, for its dependents to go first. */
  deletingDependents: boolean
}

/** What the garbage collector is to look at, by uid. */
interface GraphSink {
  attemptToDelete(uid: string): void
  attemptToOrphan(uid: string): void
}

/**
 * Who owns whom, as the monitors have shown it. Follows pkg/controller/garbagecollector/graph_builder.go processGraphChanges;
 * references whose coordinates contradict the object with their uid are not told apart.
 */
export class OwnerGraph {
  private readonly nodes = new Map<string, GraphNode>()
  /** Uids of owners that are gone for sure. Upstream keeps the last 500. */
  private readonly absent = new Set<string>()
  private readonly sink: GraphSink

  constructor(sink: GraphSink) {
    this.sink = sink
  }

  node(uid: string): GraphNode | undefined {
    return this.nodes.get(uid)
  }

  isAbsent(uid: string): boolean {
    return this.absent.has(uid)
  }

  noteAbsent(uid: string): void {
    this.absent.add(uid)
    if (this.absent.size > 500) this.absent.delete(this.absent.values().next().value!)
  }

  /** An object was shown, or shown again. */
  observed(kind: Kind, before: KubeObject | undefined, object: KubeObject): void {
    const { metadata } = object
    const known = this.nodes.get(metadata.uid)
    const owners = metadata.ownerReferences ?? []
    const node = known ?? nodeOf(kind, object)
    if (known) {
      known.virtual = false
      this.reconcileOwners(known, owners)
      if (metadata.deletionTimestamp) known.beingDeleted = true
    } else {
      this.nodes.set(node.uid, node)
      this.addToOwners(node, owners)
    }
    if (startsWith(ORPHAN, before, object)) this.sink.attemptToOrphan(node.uid)
    else if (startsWith(FOREGROUND, before, object)) {
      node.deletingDependents = true
      for (const dependent of node.dependents) this.sink.attemptToDelete(dependent.uid)
      this.sink.attemptToDelete(node.uid)
    }
  }

  /** An object is gone: its dependents may be garbage now, and owners that waited for it may go on. */
  gone(uid: string): void {
    const node = this.nodes.get(uid)
    if (!node) return
    this.nodes.delete(uid)
    for (const { uid: owner } of node.owners) this.nodes.get(owner)?.dependents.delete(node)
    if (node.dependents.size > 0) this.noteAbsent(uid)
    for (const dependent of node.dependents) this.sink.attemptToDelete(dependent.uid)
    for (const { uid: owner } of node.owners)
      if (this.nodes.get(owner)?.deletingDependents) this.sink.attemptToDelete(owner)
  }

  private reconcileOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    const before = node.owners
    if (before === owners) return
    const now = new Map(owners.map((ref) => [ref.uid, ref]))
    const known = new Set(before.map((ref) => ref.uid))
    // an owner that waited for this one alone may go on
    for (const ref of before) {
      if (ref.blockOwnerDeletion && !now.get(ref.uid)?.blockOwnerDeletion && this.nodes.has(ref.uid))
        this.sink.attemptToDelete(ref.uid)
      if (!now.has(ref.uid)) this.nodes.get(ref.uid)?.dependents.delete(node)
    }
    node.owners = owners
    this.addToOwners(
      node,
      owners.filter((ref) => !known.has(ref.uid)),
    )
  }

  private addToOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    for (const ref of owners) {
      let owner = this.nodes.get(ref.uid)
      if (!owner) {
        owner = virtualNode(ref, node.namespace)
        this.nodes.set(ref.uid, owner)
        this.sink.attemptToDelete(ref.uid)
      }
      owner.dependents.add(node)
    }
  }
}

/** Dependents whose reference says that the owner must wait for them. */
export const blockingDependents = (node: GraphNode): GraphNode[] =>
  [...node.dependents].filter(({ owners }) => owners.some((ref) => ref.uid === node.uid && ref.blockOwnerDeletion))

function nodeOf(kind: Kind, { metadata }: KubeObject): GraphNode {
  const beingDeleted = metadata.deletionTimestamp !== undefined
  return {
    uid: metadata.uid,
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    owners: metadata.ownerReferences ?? [],
    dependents: new Set(),
    virtual: false,
    beingDeleted,
    deletingDependents: beingDeleted && (metadata.finalizers ?? []).includes(FOREGROUND),
  }
}

function virtualNode(ref: OwnerReference, namespace: string | undefined): GraphNode {
  const kind = kindOf(ref)
  return {
    uid: ref.uid,
    kind,
    namespace: kind.namespaced ? namespace : undefined,
    name: ref.name,
    owners: [],
    dependents: new Set(),
    virtual: true,
    beingDeleted: false,
    deletingDependents: false,
  }
}

/** Whether the object has just come to be deleted with this finalizer. */
function startsWith(finalizer: string, before: KubeObject | undefined, { metadata }: KubeObject): boolean {
  const waits = ({ deletionTimestamp, finalizers = [] }: KubeObject['metadata']) =>
    deletionTimestamp !== undefined && finalizers.includes(finalizer)
  return waits(metadata) && !(before && waits(before.metadata))
}
