import type { Node } from '../../kube/objects.ts'
import { UsedPorts } from './host-ports.ts'
import type { PodInfo } from './pod-info.ts'
import { addResource, cloneResource, knownResourceOf, type Resource, zeroResource } from './resources.ts'

/** An image some nodes have. */
export interface ImageState {
  readonly sizeBytes: number
  readonly nodes: Set<string>
}

/** The generation given out last. */
let generations = 0

/** A node and what runs on it, added up as pods come and go. Follows pkg/scheduler/framework/types.go NodeInfo. */
export class NodeInfo {
  /** Undefined while only pods of the node are known. */
  node: Node | undefined
  name: string
  /** In no order that means anything. */
  pods: PodInfo[] = []
  podsWithAffinity: PodInfo[] = []
  podsWithRequiredAntiAffinity: PodInfo[] = []
  readonly requested: Resource = zeroResource()
  nonZeroMilliCpu = 0
  nonZeroMemoryBytes = 0
  allocatable: Resource = zeroResource()
  usedPorts = new UsedPorts()
  images = new Map<string, ImageState>()
  /** Of no other node and no other state of this one: what was counted at one generation still holds. */
  generation = ++generations
  /** The place of this node in tables by node; -1 for a copy. */
  readonly slot: number

  constructor(name: string, slot: number) {
    this.name = name
    this.slot = slot
  }

  setNode(node: Node | undefined): void {
    if (node && node.status?.allocatable !== this.node?.status?.allocatable)
      this.allocatable = knownResourceOf(node?.status?.allocatable)
    this.node = node
    this.generation = ++generations
  }

  addPod(info: PodInfo): void {
    this.pods.push(info)
    if (info.facts.hasAffinity) this.podsWithAffinity.push(info)
    if (info.facts.requiredAntiAffinity.length > 0) this.podsWithRequiredAntiAffinity.push(info)
    this.count(info, 1)
  }

  /** Returns the pod as it was added; undefined when it is not here. */
  removePod(uid: string): PodInfo | undefined {
    const removed = take(this.pods, uid)
    if (!removed) return undefined
    if (removed.facts.hasAffinity) take(this.podsWithAffinity, uid)
    if (removed.facts.requiredAntiAffinity.length > 0) take(this.podsWithRequiredAntiAffinity, uid)
    this.count(removed, -1)
    return removed
  }

  /** A copy to try things on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name, -1)
    copy.node = this.node
    copy.pods = [...this.pods]
    copy.podsWithAffinity = [...this.podsWithAffinity]
    copy.podsWithRequiredAntiAffinity = [...this.podsWithRequiredAntiAffinity]
    Object.assign(copy.requested, cloneResource(this.requested))
    copy.nonZeroMilliCpu = this.nonZeroMilliCpu
    copy.nonZeroMemoryBytes = this.nonZeroMemoryBytes
    copy.allocatable = this.allocatable
    copy.usedPorts = this.usedPorts.clone()
    copy.images = this.images
    return copy
  }

  private count(info: PodInfo, sign: 1 | -1): void {
    const { facts } = info
    addResource(this.requested, facts.requests, sign)
    this.nonZeroMilliCpu += sign * facts.nonZeroMilliCpu
    this.nonZeroMemoryBytes += sign * facts.nonZeroMemoryBytes
    for (const port of facts.hostPorts) {
      if (sign > 0) this.usedPorts.add(port)
      else this.usedPorts.remove(port)
    }
    this.generation = ++generations
  }
}

function take(pods: PodInfo[], uid: string): PodInfo | undefined {
  const at = pods.findIndex((info) => info.uid === uid)
  if (at < 0) return undefined
  const [removed] = [pods[at]]
  const last = pods.pop()!
  if (at < pods.length) pods[at] = last
  return removed
}
