import type { Container, Pod } from '../../kube/objects.ts'
import { milliValueOf, parseQuantity } from '../../kube/quantity.ts'
import { hasPodLevelRequests, podRequests } from '../../scheduler/framework/pod-requests.ts'
import { lowInt32, sum } from './go-numbers.ts'
import { ScalingError } from './scaling-error.ts'

/** Values by pod name, in thousandths. */
export type PodValues = ReadonlyMap<string, number>

/** How far usage is from its target. */
export interface Usage {
  /** Actual to wanted. */
  readonly ratio: number
  /** The average of a pod, in thousandths. */
  readonly average: bigint
}

/**
 * Usage in percent of what pods request, to the target. Pods without a request are left out. Throws a ScalingError when none
 * is left. Follows pkg/controller/podautoscaler/metrics/utilization.go GetResourceUtilizationRatio.
 */
export function utilizationOf(
  values: PodValues,
  requests: PodValues,
  targetPercent: number,
): Usage & { readonly percent: number } {
  const known = [...values].filter(([pod]) => requests.has(pod))
  const total = sum(known.map(([, value]) => value))
  const requested = sum(known.map(([pod]) => requests.get(pod)!))
  if (requested === 0n) throw new ScalingError('no metrics returned matched known pods')
  const percent = lowInt32(BigInt.asIntN(64, total * 100n) / requested)
  return { ratio: percent / targetPercent, percent, average: total / BigInt(known.length) }
}

/** The average to the target, both in thousandths. Follows GetMetricUsageRatio. */
export function usageOf(values: PodValues, target: bigint): Usage {
  const average = sum(values.values()) / BigInt(values.size)
  return { ratio: Number(average) / Number(target), average }
}

/**
 * What each pod requests of a resource, in thousandths: one container's, the pod's as a whole, or that of all containers and
 * sidecars. Throws a ScalingError when a request or the container is missing. Follows replica_calculator.go calculateRequests.
 */
export function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): PodValues {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const ofPod = container === undefined && hasPodLevelRequests(pod.spec)
    requests.set(
      pod.metadata.name,
      ofPod ? podLevelRequest(pod, resource) : containersRequest(pod, resource, container),
    )
  }
  return requests
}

function podLevelRequest(pod: Pod, resource: string): number {
  const request = podRequests(pod.spec).get(resource)
  if (!request) throw new ScalingError(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`)
  return milliValueOf(request)
}

function containersRequest({ metadata, spec }: Pod, resource: string, only: string | undefined): number {
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  const counted: readonly Container[] = sidecars.length > 0 ? [...spec.containers, ...sidecars] : spec.containers
  let total = 0
  for (const { name, resources } of counted) {
    if (only !== undefined && only !== name) continue
    const request = resources?.requests?.[resource]
    if (request === undefined)
      throw new ScalingError(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`)
    total += milliValueOf(parseQuantity(request))
    if (only === name) return total
  }
  if (only !== undefined) throw new ScalingError(`container ${only} not found in Pod ${metadata.name}`)
  return total
}
