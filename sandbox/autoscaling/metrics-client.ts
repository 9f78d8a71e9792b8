import type { LabelSelector } from '../kube/objects.ts'
import type { Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'

/**
 * How an autoscaler reads metrics: the resource, custom and external metrics APIs. Values are in thousandths, as upstream.
 * Every call fails with a `MetricsError` when the API is not there, does not answer, or has nothing.
 */
// follows pkg/controller/podautoscaler/metrics/client.go
export interface MetricsClient {
  /** metrics.k8s.io: per pod, the sum over containers, or one container's. CPU in millicores, memory in thousandths of a byte. */
  resource(
    resource: string,
    namespace: string,
    selector: LabelSelector,
    container?: string,
  ): Task<{ readonly pods: PodMetrics; readonly at: Us }>
  /** custom.metrics.k8s.io on pods: one value a pod. */
  pods(
    metric: string,
    namespace: string,
    selector: LabelSelector,
    metricSelector: LabelSelector | undefined,
  ): Task<{ readonly pods: PodMetrics; readonly at: Us }>
  /** custom.metrics.k8s.io on one object. */
  object(
    metric: string,
    namespace: string,
    object: { readonly apiVersion: string; readonly kind: string; readonly name: string },
    metricSelector: LabelSelector | undefined,
  ): Task<{ readonly milli: number; readonly at: Us }>
  /** external.metrics.k8s.io: every series that matches. */
  external(
    metric: string,
    namespace: string,
    selector: LabelSelector | undefined,
  ): Task<{ readonly milli: readonly number[]; readonly at: Us }>
}

/** By pod name. */
export type PodMetrics = ReadonlyMap<string, { readonly milli: number; readonly at: Us; readonly windowUs: Us }>

/** A metrics API said no. The message is what the HPA's event and condition would show. */
export class MetricsError extends Error {
  override readonly name = 'MetricsError'
}
