import type { Node, Pod } from '../kube/objects.ts'
import { type ImageState, NodeInfo } from './framework/node-info.ts'
import type { Snapshot } from './framework/plugin.ts'
import { type PodInfo, podInfo, podInfoWith } from './framework/pod-info.ts'
import { NodeTree } from './node-tree.ts'

interface PodState {
  info: PodInfo
  nodeName: string
  /** On its node in the scheduler's mind alone: the binding is not seen yet. */
  assumed: boolean
}

/**
 * Nodes with the pods on them, those only decided included. Follows pkg/scheduler/backend/cache/cache.go (which since 1.34
 * never lets an assumed pod expire).
 */
export class SchedulerCache implements Snapshot {
  readonly nodesWithAffinity = new Set<NodeInfo>()
  readonly nodesWithRequiredAntiAffinity = new Set<NodeInfo>()
  private readonly infos = new Map<string, NodeInfo>()
  private readonly pods = new Map<string, PodState>()
  private readonly tree = new NodeTree()
  private readonly images = new Map<string, ImageState>()
  private ordered: NodeInfo[] | undefined
  private slots = 0

  get nodes(): readonly NodeInfo[] {
    this.ordered ??= this.tree.list().map((name) => this.infos.get(name)!)
    return this.ordered
  }

  node(name: string): NodeInfo | undefined {
    const info = this.infos.get(name)
    return info?.node ? info : undefined
  }

  removeNode(node: Node): void {
    const info = this.infos.get(node.metadata.name)
    if (!info?.node) return
    this.dropImages(info)
    this.tree.remove(info.node)
    info.setNode(undefined)
    this.ordered = undefined
    this.dropIfUnused(info)
    this.index(info)
  }

  isAssumed(uid: string): boolean {
    return this.pods.get(uid)?.assumed ?? false
  }

  /** The pod as the cache knows it. */
  pod(uid: string): Pod | undefined {
    return this.pods.get(uid)?.info.pod
  }

  /** Counts the pod on the node from now on. Returns it as it will be when bound. */
  assume(info: PodInfo, nodeName: string): PodInfo {
    if (this.pods.has(info.uid)) throw new Error(`pod ${info.pod.metadata.name} is in the cache, so can't be assumed`)
    const { pod, facts } = info
    const assumed = podInfoWith({ ...pod, spec: { ...pod.spec, nodeName } }, facts)
    this.put(assumed, nodeName, true)
    return assumed
  }

  /** Takes an assumed pod off its node: it could not be bound. */
  forget(uid: string): void {
    if (this.isAssumed(uid)) this.take(uid)
  }

  /** A pod with a node was seen. */
  addPod(pod: Pod): void {
    const known = this.pods.get(pod.metadata.uid)
    if (known && !known.assumed) return
    if (known) this.take(pod.metadata.uid)
    this.put(podInfo(pod), pod.spec.nodeName!, false)
  }

  updatePod(pod: Pod): void {
    const known = this.pods.get(pod.metadata.uid)
    if (!known || known.assumed) {
      this.addPod(pod)
      return
    }
    if (known.nodeName === pod.spec.nodeName && !matters(known.info.pod, pod)) {
      ;(known.info as { pod: Pod }).pod = pod
      return
    }
    this.take(pod.metadata.uid)
    this.put(podInfo(pod), pod.spec.nodeName!, false)
  }

  removePod(uid: string): void {
    if (this.pods.has(uid)) this.take(uid)
  }

  /** A node was seen, or has changed. */
  setNode(node: Node): void {
    const { name } = node.metadata
    const info = this.infoOf(name)
    const was = info.node
    if (was) this.dropImages(info)
    if (!was) this.tree.add(node)
    if (!was || this.tree.update(was, node)) this.ordered = undefined
    info.setNode(node)
    this.addImages(info)
    this.index(info)
  }

  private put(info: PodInfo, nodeName: string, assumed: boolean): void {
    const node = this.infoOf(nodeName)
    node.addPod(info)
    this.pods.set(info.uid, { info, nodeName, assumed })
    this.index(node)
  }

  private take(uid: string): void {
    const state = this.pods.get(uid)!
    this.pods.delete(uid)
    const node = this.infos.get(state.nodeName)!
    node.removePod(uid)
    this.dropIfUnused(node)
    this.index(node)
  }

  private infoOf(name: string): NodeInfo {
    let info = this.infos.get(name)
    if (!info) {
      info = new NodeInfo(name, this.slots++)
      this.infos.set(name, info)
    }
    return info
  }

  private dropIfUnused(info: NodeInfo): void {
    if (!info.node && info.pods.length === 0) this.infos.delete(info.name)
  }

  private index(info: NodeInfo): void {
    keep(this.nodesWithAffinity, info, info.podsWithAffinity.length > 0)
    keep(this.nodesWithRequiredAntiAffinity, info, info.podsWithRequiredAntiAffinity.length > 0)
  }

  private addImages(info: NodeInfo): void {
    info.images = new Map()
    for (const { names, sizeBytes } of info.node?.status?.images ?? [])
      for (const name of names) {
        const state = this.images.get(name) ?? { sizeBytes, nodes: new Set<string>() }
        this.images.set(name, state)
        state.nodes.add(info.name)
        info.images.set(name, state)
      }
  }

  private dropImages(info: NodeInfo): void {
    for (const [name, state] of info.images) {
      state.nodes.delete(info.name)
      if (state.nodes.size === 0) this.images.delete(name)
    }
  }
}

/** Whether what nodes count of a pod may have changed. */
const matters = (before: Pod, after: Pod): boolean =>
  before.spec !== after.spec ||
  before.metadata.labels !== after.metadata.labels ||
  before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp

function keep(set: Set<NodeInfo>, info: NodeInfo, wanted: boolean): void {
  if (wanted && info.node) set.add(info)
  else set.delete(info)
}
