import type { CrossVersionObjectReference, LabelSelector, Pod } from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import type { MetricsClient, PodMetrics } from '../metrics-client.ts'
import { int32, int64, MAX_INT32, MAX_INT64 } from './go-numbers.ts'
import { groupPods, type PodGroups } from './group-pods.ts'
import { messageOf, ScalingError } from './scaling-error.ts'
import { selectorText } from './selector-text.ts'
import { requestsOf, type Usage, usageOf, utilizationOf } from './usage.ts'

/** By how much the ratio of usage to target may differ from 1 before anything is done. */
export interface Tolerances {
  readonly down: number
  readonly up: number
}

/** How many replicas one metric asks for. */
export interface Proposal {
  readonly replicas: number
  /** What the metric stands at, in thousandths; of a pod where the target is of a pod. */
  readonly usage: bigint
  /** In percent of the request, where the target is. */
  readonly percent?: number
}

/** What the calculation is for. `target` is in thousandths, or in percent for `utilization`. */
export interface Ask {
  readonly current: number
  readonly target: bigint
  readonly tolerances: Tolerances
  readonly namespace: string
  readonly pods: PodsOfTarget
}

export interface PodsOfTarget {
  readonly selector: LabelSelector
  /** As the cache has them at the time of the call. */
  list(): readonly Pod[]
}

export interface CalculatorOptions {
  readonly metrics: MetricsClient
  readonly cpuInitializationPeriod: Us
  readonly initialReadinessDelay: Us
  now(): Us
}

/**
 * Replicas from metrics. Every method throws a ScalingError when it cannot tell.
 * Follows pkg/controller/podautoscaler/replica_calculator.go.
 */
export class ReplicaCalculator {
  private readonly options: CalculatorOptions

  constructor(options: CalculatorOptions) {
    this.options = options
  }

  /** A resource in percent of the request. */
  *utilization(ask: Ask, resource: string, container: string | undefined): Task<Proposal> {
    const metrics = yield* this.resourceMetrics(ask, resource, container)
    const percent = Number(ask.target)
    const unknown = BigInt(Math.max(100, percent))
    let requests: ReadonlyMap<string, number>
    let shown: { percent: number } | undefined
    return {
      ...this.fromPods(ask, metrics, resource, {
        prepare(pods) {
          requests = requestsOf(pods, resource, container)
        },
        usage(values) {
          const usage = utilizationOf(values, requests, percent)
          shown ??= usage
          return usage
        },
        // half dead pods are taken to use all they may
        whenMissing: (name) => Number((BigInt(requests.get(name)!) * unknown) / 100n),
      }),
      percent: shown!.percent,
    }
  }

  /** A resource, as an average of a pod. */
  *resource(ask: Ask, resource: string, container: string | undefined): Task<Proposal> {
    const metrics = yield* this.resourceMetrics(ask, resource, container)
    return this.fromPods(ask, metrics, resource, plain(ask))
  }

  /** A metric of pods, as an average. */
  *pods(ask: Ask, metric: string, metricSelector: LabelSelector | undefined): Task<Proposal> {
    const read = this.options.metrics.pods(metric, ask.namespace, ask.pods.selector, metricSelector)
    const { pods } = yield* saying(`unable to get metric ${metric}: `, read)
    return this.fromPods(ask, pods, '', plain(ask))
  }

  /** A metric of one object, as it is. */
  *object(ask: Ask, metric: string, object: CrossVersionObjectReference, selector?: LabelSelector): Task<Proposal> {
    const usage = yield* this.objectMetric(ask, metric, object, selector)
    return { replicas: fromRatio(ask, Number(usage) / Number(ask.target)), usage }
  }

  /** A metric of one object, shared out among the pods. `ask.current` is what the target's status says. */
  *objectPerPod(
    ask: Ask,
    metric: string,
    object: CrossVersionObjectReference,
    selector?: LabelSelector,
  ): Task<Proposal> {
    const usage = yield* this.objectMetric(ask, metric, object, selector)
    const wanted = Math.ceil(Number(usage) / Number(ask.target))
    const average = int64(Math.ceil(Number(usage) / ask.current))
    return { replicas: perPodWithin(ask, usage) ? ask.current : int32(wanted), usage: average }
  }

  /** The sum of an external metric's series. */
  *external(ask: Ask, metric: string, selector: LabelSelector | undefined): Task<Proposal> {
    const usage = cappedSum(yield* this.externalMetric(ask, metric, selector))
    return { replicas: fromRatio(ask, Number(usage) / Number(ask.target)), usage }
  }

  /** The sum of an external metric's series, shared out among the pods. `ask.current` is what the target's status says. */
  *externalPerPod(ask: Ask, metric: string, selector: LabelSelector | undefined): Task<Proposal> {
    const series = yield* this.externalMetric(ask, metric, selector)
    let usage = 0n
    for (const value of series) {
      usage = BigInt.asIntN(64, usage + BigInt(value))
      if (usage >= 0n) continue
      // upstream takes a sum below zero for an overflow
      usage = MAX_INT64
      break
    }
    const wanted = Math.ceil(Number(usage) / Number(ask.target))
    const replicas = perPodWithin(ask, usage) ? ask.current : wanted > MAX_INT32 ? MAX_INT32 : int32(wanted)
    const overflown = Number(usage) >= Number(MAX_INT64)
    return { replicas, usage: overflown ? MAX_INT64 : int64(Math.ceil(Number(usage) / ask.current)) }
  }

  private *resourceMetrics(ask: Ask, resource: string, container: string | undefined): Task<PodMetrics> {
    const read = this.options.metrics.resource(resource, ask.namespace, ask.pods.selector, container)
    return (yield* saying(`unable to get metrics for resource ${resource}: `, read)).pods
  }

  private *objectMetric(
    { namespace }: Ask,
    metric: string,
    { apiVersion = '', kind, name }: CrossVersionObjectReference,
    selector: LabelSelector | undefined,
  ): Task<bigint> {
    const read = this.options.metrics.object(metric, namespace, { apiVersion, kind, name }, selector)
    // upstream gives its words in another order than it means to
    const before = `unable to get metric ${metric}: ${kind} on ${namespace} ${name}/`
    return BigInt((yield* saying(before, read)).milli)
  }

  private *externalMetric(ask: Ask, metric: string, selector: LabelSelector | undefined): Task<readonly number[]> {
    const read = this.options.metrics.external(metric, ask.namespace, selector)
    const what = `unable to get external metric ${ask.namespace}/${metric}/${selectorText(selector)}: `
    return (yield* saying(what, read)).milli
  }

  /** Follows GetResourceReplicas and calcPlainMetricReplicas. */
  private fromPods(ask: Ask, metrics: PodMetrics, resource: string, sort: Sort): Proposal {
    const pods = podsOf(ask)
    const groups = groupPods(pods, metrics, resource, { ...this.options, now: this.options.now() })
    const values = new Map<string, number>()
    for (const [name, { milli }] of metrics) values.set(name, milli)
    for (const name of groups.ignored) values.delete(name)
    for (const name of groups.unready) values.delete(name)
    if (values.size === 0) throw new ScalingError('did not receive metrics for targeted pods (pods might be unready)')
    sort.prepare?.(pods)
    const usage = sort.usage(values)
    return { replicas: replicasFor(ask, values, groups, usage.ratio, sort), usage: usage.average }
  }
}

/** What differs between usage and utilization. */
interface Sort {
  prepare?(pods: readonly Pod[]): void
  usage(values: ReadonlyMap<string, number>): Usage
  /** What a pod without a value is taken to use when usage is low. */
  whenMissing(name: string): number
}

const plain = ({ target }: Ask): Sort => ({
  usage: (values) => usageOf(values, target),
  whenMissing: () => Number(target),
})

function replicasFor(ask: Ask, values: Map<string, number>, groups: PodGroups, ratio: number, sort: Sort): number {
  const { current, tolerances } = ask
  const { ready, unready, missing } = groups
  const upWithUnready = unready.length > 0 && ratio > 1
  if (!upWithUnready && missing.length === 0)
    return isWithin(tolerances, ratio) ? current : int32(Math.ceil(ratio * ready))
  // pods that nothing is known of hold back a change, in either direction
  if (ratio < 1) for (const name of missing) values.set(name, sort.whenMissing(name))
  if (ratio > 1) for (const name of missing) values.set(name, 0)
  if (upWithUnready) for (const name of unready) values.set(name, 0)
  const then = sort.usage(values).ratio
  if (isWithin(tolerances, then) || (ratio < 1 && then > 1) || (ratio > 1 && then < 1)) return current
  const replicas = int32(Math.ceil(then * values.size))
  return (then < 1 && replicas > current) || (then > 1 && replicas < current) ? current : replicas
}

const isWithin = ({ down, up }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up

const perPodWithin = ({ tolerances, target, current }: Ask, usage: bigint): boolean =>
  isWithin(tolerances, Number(usage) / (Number(target) * current))

/** Follows getUsageRatioReplicaCount: from zero, neither tolerance nor ready pods count. */
function fromRatio(ask: Ask, ratio: number): number {
  if (ask.current === 0) return int32(Math.ceil(ratio))
  if (isWithin(ask.tolerances, ratio)) return ask.current
  let ready: number
  try {
    ready = podsOf(ask).filter((pod) => pod.status.phase === 'Running' && isReady(pod)).length
  } catch (error) {
    throw new ScalingError(`unable to calculate ready pods: ${messageOf(error)}`)
  }
  const replicas = ratio * ready
  return replicas > MAX_INT32 ? MAX_INT32 : int32(Math.ceil(replicas))
}

function podsOf(ask: Ask): readonly Pod[] {
  const pods = ask.pods.list()
  if (pods.length === 0) throw new ScalingError('no pods returned by selector while calculating replica count')
  return pods
}

function cappedSum(series: readonly number[]): bigint {
  let total = 0n
  for (const milli of series) {
    const value = BigInt(milli)
    if (value > 0n && total > MAX_INT64 - value) return MAX_INT64
    total = BigInt.asIntN(64, total + value)
  }
  return total
}

/** Puts words before what a metrics API says when it fails. */
function* saying<T>(before: string, task: Task<T>): Task<T> {
  try {
    return yield* task
  } catch (error) {
    throw new ScalingError(`${before}${messageOf(error)}`)
  }
}
