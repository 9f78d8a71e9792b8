import { GPU } from '../../../gpus/gpu-plugin.ts'
import { controllerOf } from '../../../kube/indexes.ts'
import { PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type { Node, Pod } from '../../../kube/objects.ts'
import { labelSelector } from '../../../kube/selectors.ts'
import { factsOf } from '../../../scheduler/framework/pod-info.ts'
import { type Resource, resourceOf } from '../../../scheduler/framework/resources.ts'
import type { ClusterAutoscalerFlags } from './options.ts'

/**
 * The share of a node that is requested: of its GPUs where it has any, otherwise of cpu or memory, whichever is more.
 * Follows cluster-autoscaler/simulator/utilization/info.go; pods of DaemonSets count, as by default.
 */
export function utilization(node: Node, pods: readonly Pod[]): { readonly share: number; readonly ofGpus: boolean } {
  const has = allocatableOf(node)
  const wants = pods.map((pod) => factsOf(pod.spec).requests)
  const gpus = has.scalars.get(GPU) ?? 0
  const sum = (amount: (r: (typeof wants)[number]) => number) => wants.reduce((total, w) => total + amount(w), 0)
  if (gpus > 0) return { share: sum((r) => r.scalars.get(GPU) ?? 0) / gpus, ofGpus: true }
  const cpu = sum((r) => r.milliCpu) / has.milliCpu
  return { share: Math.max(cpu, sum((r) => r.memoryBytes) / has.memoryBytes), ofGpus: false }
}

const parsed = new WeakMap<object, Resource>()

/** Parsed once: versions of a node share what did not change. */
function allocatableOf({ status: { allocatable } }: Node): Resource {
  let resource = parsed.get(allocatable)
  if (!resource) {
    resource = resourceOf(allocatable)
    parsed.set(allocatable, resource)
  }
  return resource
}

const SAFE_TO_EVICT = 'cluster-autoscaler.kubernetes.io/safe-to-evict'
const DISABLED = 'cluster-autoscaler.kubernetes.io/scale-down-disabled'

/** Why the autoscaler keeps a node. Undefined: it may go. Follows cluster-autoscaler/simulator/drainability/rules. */
export function keeps(
  node: Node,
  pods: readonly Pod[],
  { kube, flags }: { kube: Kube; flags: ClusterAutoscalerFlags },
): string | undefined {
  if (node.metadata.annotations?.[DISABLED] === 'true') return 'scale-down disabled by annotation'
  const budgets = kube.list(PodDisruptionBudget)
  for (const pod of pods) {
    const { annotations = {}, namespace, name, labels = {} } = pod.metadata
    const budget = budgets.find(
      (b) => b.metadata.namespace === namespace && labelSelector(b.spec.selector).matches(labels),
    )
    const safe = annotations[SAFE_TO_EVICT]
    const about = `pod ${namespace}/${name}`
    if (safe !== 'true') {
      if (!controllerOf(pod)) return `${about} is not replicated`
      if (namespace === 'kube-system' && flags.skipNodesWithSystemPods && !budget) return `${about} is a system pod`
      if (safe === 'false') return `${about} is not safe to evict`
      if (flags.skipNodesWithLocalStorage && storesLocally(pod)) return `${about} has local storage`
    }
    if (budget && (budget.status?.disruptionsAllowed ?? 0) < 1) return `${about} has no enough budget`
  }
  return undefined
}

/** An emptyDir in memory is no storage: what inference servers have at /dev/shm. Follows drainability/rules/localstorage. */
const storesLocally = (pod: Pod): boolean =>
  pod.spec.volumes?.some((volume) => {
    const { hostPath, emptyDir } = volume as { hostPath?: unknown; emptyDir?: { medium?: string } | null }
    return hostPath !== undefined || (emptyDir && emptyDir.medium !== 'Memory')
  }) ?? false
