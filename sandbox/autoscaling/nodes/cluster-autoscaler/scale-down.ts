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
 * The share of a node that is requested: of its GPUs where it has any or will have, otherwise of cpu or memory, whichever is more. A
 * node whose GPUs are not there is not used. Follows cluster-autoscaler/simulator/utilization/info.go.
 */
export function utilization(
  node: Node,
  pods: readonly Pod[],
  { gpuLabel, ignoreDaemonsetsUtilization }: Pick<ClusterAutoscalerFlags, 'gpuLabel' | 'ignoreDaemonsetsUtilization'>,
): { readonly share: number; readonly ofGpus: boolean } {
  const has = allocatableOf(node)
  const isDaemon = (pod: Pod) => ignoreDaemonsetsUtilization && controllerOf(pod)?.kind === 'DaemonSet'
  const requests = (which: readonly Pod[]) => which.map((pod) => factsOf(pod.spec).requests)
  const [wants, daemons] = [requests(pods.filter((pod) => !isDaemon(pod))), requests(pods.filter(isDaemon))]
  const share = (amount: (r: Resource) => number) => {
    const sum = (list: readonly Resource[]) => list.reduce((total, w) => total + amount(w), 0)
    return sum(wants) / (amount(has) - sum(daemons))
  }
  const gpus = (r: Resource) => r.scalars.get(GPU) ?? 0
  if (gpus(has) > 0) return { share: share(gpus), ofGpus: true }
  if (gpuLabel && node.metadata.labels?.[gpuLabel] !== undefined) return { share: 0, ofGpus: true }
  return {
    share: Math.max(
      share((r) => r.milliCpu),
      share((r) => r.memoryBytes),
    ),
    ofGpus: false,
  }
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
const LOCAL_VOLUMES = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes'
const DISABLED = 'cluster-autoscaler.kubernetes.io/scale-down-disabled'
const REPLICATED: ReadonlySet<string> = new Set(['ReplicationController', 'Job', 'ReplicaSet', 'StatefulSet'])

/** Whether an annotation forbids the node's removal. Follows core/scaledown/eligibility/eligibility.go. */
export const isKept = ({ metadata }: Node): boolean => metadata.annotations?.[DISABLED] === 'true'

/** Why the pods may not be moved; undefined: they may. Follows cluster-autoscaler/simulator/drainability/rules, in their order. */
export function blocking(
  pods: readonly Pod[],
  { kube, flags }: { kube: Kube; flags: ClusterAutoscalerFlags },
): string | undefined {
  const budgets = kube.list(PodDisruptionBudget)
  for (const pod of pods) {
    const { annotations = {}, namespace, name, labels = {} } = pod.metadata
    const own = budgets.filter(
      (b) => b.metadata.namespace === namespace && labelSelector(b.spec.selector).matches(labels),
    )
    const safe = annotations[SAFE_TO_EVICT]
    const about = `${namespace}/${name}`
    if (safe === 'true') continue
    const kind = controllerOf(pod)?.kind
    if (kind === undefined || (flags.skipNodesWithCustomControllerPods && !REPLICATED.has(kind)))
      return `${about} is not replicated`
    if (namespace === 'kube-system' && flags.skipNodesWithSystemPods && own.length === 0)
      return `non-daemonset, non-mirrored, non-pdb-assigned kube-system pod present: ${name}`
    if (safe === 'false') return `pod annotated as not safe to evict present: ${name}`
    if (flags.skipNodesWithLocalStorage && storesLocally(pod)) return `pod with local storage present: ${name}`
    if (own.some(({ status }) => (status?.disruptionsAllowed ?? 0) < 1))
      return `not enough pod disruption budget to move ${about}`
  }
  return undefined
}

/** An emptyDir in memory is no storage: what inference servers have at /dev/shm. Follows utils/drain/drain.go HasBlockingLocalStorage. */
function storesLocally({ metadata, spec }: Pod): boolean {
  const safe = (metadata.annotations?.[LOCAL_VOLUMES] ?? '').split(',').map((name) => name.trim())
  return (spec.volumes ?? []).some((volume) => {
    const { name, hostPath, emptyDir } = volume as {
      name: string
      hostPath?: unknown
      emptyDir?: { medium?: string } | null
    }
    return !safe.includes(name) && (hostPath !== undefined || (emptyDir && emptyDir.medium !== 'Memory'))
  })
}
