import type { Pod, PodSpec } from '../../kube/objects.ts'
import type { Quantity } from '../../kube/quantity.ts'
import { type NamedNode, nodeSelector, selectorFromSet } from '../../kube/selectors.ts'
import { type HostPort, hostPortsOf } from './host-ports.ts'
import { DEFAULT_REQUESTS, hasPodLevelRequests, podRequests } from './pod-requests.ts'
import { type AffinityTerm, affinityTermsOf, type WeightedAffinityTerm, weightedAffinityTermsOf } from './pod-terms.ts'
import { type Resource, resourceOfQuantities } from './resources.ts'

/** A pod and what its spec means to the scheduler, worked out once. Follows pkg/scheduler/framework/types.go PodInfo. */
export interface PodInfo {
  readonly pod: Pod
  readonly uid: string
  readonly priority: number
  readonly facts: PodFacts
}

/** What follows from a pod's spec alone. */
export interface PodFacts {
  readonly requests: Resource
  /** The scalar requests above zero. */
  readonly scalars: readonly (readonly [name: string, amount: number])[]
  readonly requestsNothing: boolean
  /** Requests with stand-ins for containers that name none: what a node counts for scores. */
  readonly nonZeroMilliCpu: number
  readonly nonZeroMemoryBytes: number
  /** The same as NodeResourcesFit scores the pod with before it is on a node: in 1.36 that overlooks requests of the pod as a whole. */
  readonly scoredMilliCpu: number
  readonly scoredMemoryBytes: number
  readonly hostPorts: readonly HostPort[]
  /** Node selector and required node affinity; undefined when there are none. */
  readonly requiredNode: ((node: NamedNode) => boolean) | undefined
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedAffinityTerm[]
  readonly preferredAntiAffinity: readonly WeightedAffinityTerm[]
  readonly hasAffinity: boolean
}

export const podInfo = (pod: Pod): PodInfo => podInfoWith(pod, factsOf(pod.spec))

/** For a pod whose facts are known to be these, such as one assumed on a node. */
export const podInfoWith = (pod: Pod, facts: PodFacts): PodInfo => ({
  pod,
  uid: pod.metadata.uid,
  priority: pod.spec.priority ?? 0,
  facts,
})

const PARTS = ['containers', 'initContainers', 'overhead', 'resources', 'affinity', 'nodeSelector'] as const

/** Versions of a pod share the parts that did not change: facts are kept by the containers, and hold while the rest is the same. */
const known = new WeakMap<object, { spec: PodSpec; facts: PodFacts }>()

/** Throws a QuantityError or SelectorError: the API server lets neither through. */
export function factsOf(spec: PodSpec): PodFacts {
  const found = known.get(spec.containers)
  if (found && PARTS.every((part) => found.spec[part] === spec[part])) return found.facts
  const facts = workOut(spec)
  known.set(spec.containers, { spec, facts })
  return facts
}

function workOut(spec: PodSpec): PodFacts {
  const quantities = podRequests(spec)
  const requests = resourceOfQuantities(quantities)
  const nonZero = resourceOfQuantities(podRequests(spec, standIns(spec, quantities)))
  const scored = hasPodLevelRequests(spec)
    ? resourceOfQuantities(podRequests(spec, DEFAULT_REQUESTS, { withoutPodLevel: true }))
    : nonZero
  const { affinity } = spec
  return {
    requests,
    scalars: [...requests.scalars].filter(([, amount]) => amount !== 0),
    requestsNothing:
      requests.milliCpu === 0 &&
      requests.memoryBytes === 0 &&
      requests.ephemeralStorageBytes === 0 &&
      requests.scalars.size === 0,
    nonZeroMilliCpu: nonZero.milliCpu,
    nonZeroMemoryBytes: nonZero.memoryBytes,
    scoredMilliCpu: scored.milliCpu,
    scoredMemoryBytes: scored.memoryBytes,
    hostPorts: hostPortsOf(spec),
    requiredNode: requiredNodeOf(spec),
    requiredAffinity: affinityTermsOf(affinity?.podAffinity),
    requiredAntiAffinity: affinityTermsOf(affinity?.podAntiAffinity),
    preferredAffinity: weightedAffinityTermsOf(affinity?.podAffinity),
    preferredAntiAffinity: weightedAffinityTermsOf(affinity?.podAntiAffinity),
    hasAffinity: Boolean(affinity?.podAffinity ?? affinity?.podAntiAffinity),
  }
}

// follows pkg/scheduler/framework/types.go getNonMissingContainerRequests
function standIns(spec: PodSpec, requests: ReadonlyMap<string, Quantity>): ReadonlyMap<string, Quantity> {
  if (!hasPodLevelRequests(spec)) return DEFAULT_REQUESTS
  return new Map([...DEFAULT_REQUESTS].filter(([name]) => !requests.has(name)))
}

// follows k8s.io/component-helpers/scheduling/corev1/nodeaffinity GetRequiredNodeAffinity
function requiredNodeOf(spec: PodSpec): PodFacts['requiredNode'] {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const selects = Object.keys(spec.nodeSelector ?? {}).length > 0 ? selectorFromSet(spec.nodeSelector!) : undefined
  if (!selects && !required) return undefined
  const affine = required ? nodeSelector(required.nodeSelectorTerms) : undefined
  return (node) => (!selects || selects.matches(node.metadata.labels)) && (!affine || affine(node))
}
