import { Node, Pod, ReplicaSet } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import type { Change, ObjectsView } from '../objects-view.ts'
import { nodeClass } from './node-class.ts'

/**
 * Names by the part a thing plays, so that two trials call the same thing the same: pods by the workload that made them, its
 * ReplicaSets by the order of their creation, nodes by what tells them from others for a scheduler.
 */
export class Roles {
  private readonly view: ObjectsView
  /** Of ReplicaSets, by uid: those of one owner are counted from 1. */
  private readonly ordinals = new Map<string, number>()
  private readonly counts = new Map<string, number>()
  /** Of nodes, by uid, as first asked for: a taint that comes later makes no other node of it. */
  private readonly classes = new Map<string, string>()
  /** The pods and nodes that are gone: records may still speak of them. */
  private readonly gonePods = new Map<string, o.Pod>()
  private readonly goneNodes = new Map<string, string>()

  constructor(view: ObjectsView) {
    this.view = view
  }

  /** To be told of every change, in order. */
  see({ kind, key, before, after }: Change): void {
    if (kind === ReplicaSet.id && !before && after) this.count(after)
    if (after || !before) return
    if (kind === Pod.id) this.gonePods.set(key, before as o.Pod)
    if (kind === Node.id) this.goneNodes.set(key, this.classOf(before as o.Node))
  }

  /** `Deployment/chat`; with the namespace where that is not `default`. */
  object({ kind, metadata: { name, namespace = 'default' } }: o.KubeObject): string {
    return `${kind}/${namespace === 'default' ? '' : `${namespace}/`}${name}`
  }

  /** `Deployment/chat@2`: the second ReplicaSet of the Deployment. */
  replicaSet(set: o.ReplicaSet): string {
    const owner = controllerOf(set)
    if (!owner) return this.object(set)
    return `${ownedBy(owner, set)}@${this.ordinals.get(set.metadata.uid) ?? '?'}`
  }

  /** `pod of Deployment/chat@2`; a StatefulSet's or one that nobody made by its own name. */
  pod(pod: o.Pod): string {
    const owner = controllerOf(pod)
    if (!owner) return this.object(pod)
    if (owner.kind === 'StatefulSet') return this.object(pod)
    const set =
      owner.kind === 'ReplicaSet' ? this.view.get(ReplicaSet, `${pod.metadata.namespace}/${owner.name}`) : undefined
    return `pod of ${set ? this.replicaSet(set) : ownedBy(owner, pod)}`
  }

  /** The same for a key of which only the text is known; the key itself where no such pod ever was. */
  podNamed(key: string): string {
    const pod = this.view.get(Pod, key) ?? this.gonePods.get(key)
    return pod ? this.pod(pod) : key
  }

  /** `2×L40S #3fa2`: what nodes are alike by. */
  node(name: string): string {
    const node = this.view.get(Node, name)
    return node ? this.classOf(node) : (this.goneNodes.get(name) ?? 'a node nobody knows')
  }

  private classOf(node: o.Node): string {
    const { uid } = node.metadata
    const known = this.classes.get(uid) ?? nodeClass(node)
    this.classes.set(uid, known)
    return known
  }

  private count(set: o.KubeObject): void {
    const owner = controllerOf(set)
    if (!owner) return
    const ordinal = (this.counts.get(owner.uid) ?? 0) + 1
    this.counts.set(owner.uid, ordinal)
    this.ordinals.set(set.metadata.uid, ordinal)
  }
}

const controllerOf = ({ metadata }: o.KubeObject) => metadata.ownerReferences?.find(({ controller }) => controller)

const ownedBy = (
  owner: { kind: string; name: string },
  { metadata: { namespace = 'default' } }: o.KubeObject,
): string => `${owner.kind}/${namespace === 'default' ? '' : `${namespace}/`}${owner.name}`
