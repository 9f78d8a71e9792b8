import type { Kube } from '../../kube/kube.ts'
import type { Node, Pod } from '../../kube/objects.ts'
import { SchedulerCache } from '../../scheduler/cache.ts'
import type { Plugin } from '../../scheduler/framework/plugin.ts'
import { defaultPlugins } from '../../scheduler/framework/plugins/index.ts'
import { podInfo } from '../../scheduler/framework/pod-info.ts'
import { preFilter, runFilters } from '../../scheduler/framework/runtime.ts'
import { listersOver } from '../../scheduler/listers.ts'

/** Why a pod fits nowhere: reason → on how many nodes. */
export type Misfit = ReadonlyMap<string, number>

/**
 * A cluster to try pods on, with the scheduler's own filters. Pods that were placed stay until they are taken back.
 * Follows cluster-autoscaler/simulator/clustersnapshot and scheduling/hinting_simulator.go in what it is for.
 */
export class FitSimulator {
  private readonly cache = new SchedulerCache()
  private readonly plugins: readonly Plugin[]

  /** `nodes` and the pods on them, as they are known now. */
  constructor({ kube, nodes, pods }: { kube: Kube; nodes: Iterable<Node>; pods: Iterable<Pod> }) {
    this.plugins = defaultPlugins(listersOver(kube))
    for (const node of nodes) this.cache.setNode(node)
    for (const pod of pods) if (pod.spec.nodeName && this.cache.node(pod.spec.nodeName)) this.cache.addPod(pod)
  }

  addNode(node: Node): void {
    this.cache.setNode(node)
  }

  /** Puts the pod on the first node it fits on, of those that `among` accepts. Otherwise says why it does not. */
  place(pod: Pod, among?: (node: string) => boolean): { readonly node: string } | { readonly misfit: Misfit } {
    const info = podInfo(pod)
    const misfit = new Map<string, number>()
    const { filters, status, nodeNames } = preFilter(this.plugins, info, this.cache)
    if (status) return { misfit: new Map(status.reasons.map((reason) => [reason, 1])) }
    for (const node of this.cache.nodes) {
      if (among && !among(node.name)) continue
      if (nodeNames && !nodeNames.has(node.name)) continue
      const rejected = runFilters(filters, info, node)
      if (!rejected) {
        this.cache.assume(info, node.name)
        return { node: node.name }
      }
      for (const reason of rejected.reasons) misfit.set(reason, (misfit.get(reason) ?? 0) + 1)
    }
    return { misfit }
  }

  removeNode(node: Node): void {
    this.cache.removeNode(node)
  }

  /** Takes a placed pod off again. */
  takeBack(pod: Pod): void {
    this.cache.forget(pod.metadata.uid)
  }
}

/** The pod as if it had no node yet. */
export function unbound(pod: Pod): Pod {
  const { nodeName: _, ...spec } = pod.spec
  return { ...pod, spec, status: { phase: 'Pending' }, metadata: { ...pod.metadata, uid: `${pod.metadata.uid}/moved` } }
}
