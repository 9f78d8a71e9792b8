import { ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { ExternalBackend } from '../../metrics/adapter/metrics-client.ts'
import type { Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import { type MetricsClient, MetricsError } from '../metrics-client.ts'
import { KedaError } from './errors.ts'
import { observe } from './observe.ts'
import type { OperatorContext } from './operator-context.ts'
import type { ScaleHandler } from './scale-handler.ts'
import { OWNER_LABEL, usesHpaObservations } from './spec.ts'
import { compositeOf } from './state.ts'
import type { ExternalValue } from './value.ts'

/** KEDA's side of external.metrics.k8s.io. Every answer asks the triggers, unless `useCachedMetrics` or a composite says else. */
// follows pkg/provider/provider.go and pkg/scaling/scale_handler.go GetScaledObjectMetrics
export class KedaMetricsServer implements Pick<MetricsClient, 'external'> {
  private readonly context: OperatorContext
  private readonly handler: ScaleHandler

  constructor(context: OperatorContext, handler: ScaleHandler) {
    this.context = context
    this.handler = handler
  }

  /** Whether a selector names a ScaledObject: the only metrics KEDA has. */
  serves(selector: o.LabelSelector | undefined): boolean {
    return ownerIn(selector) !== undefined
  }

  *external(
    metric: string,
    namespace: string,
    selector: o.LabelSelector | undefined,
  ): Task<{ readonly milli: readonly number[]; readonly at: Us }> {
    const name = ownerIn(selector)
    if (name === undefined) throw refusal('scaledObject name is not specified')
    try {
      const values = yield* this.metricsOf(`${namespace}/${name}`, metric)
      return { milli: values.map(({ milli }) => milli), at: this.context.world.clock.now }
    } catch (error) {
      if (!(error instanceof KedaError)) throw error
      throw refusal(`rpc error: code = Unknown desc = error when getting metric values ${error.message}`)
    }
  }

  private *metricsOf(key: string, metric: string): Task<readonly ExternalValue[]> {
    const { caches, records } = this.handler
    const { kube } = this.context
    const cache = scalersOf(caches, key)
    const { held } = cache
    const storeForLoop = usesHpaObservations(held.object)
    const wanted = this.metricNames(key, metric, held.object)
    const scalers = cache.scalers.filter(({ scaler: { metricSpec } }) => {
      return metricSpec.type === 'External' && wanted.includes(metricSpec.external.metric.name.toLowerCase())
    })
    const observed = yield* observe(held, scalers, kube, ({ trigger }, name) => ({
      raw: trigger.useCachedMetrics ? records.read(key, name) : undefined,
    }))
    if (storeForLoop) for (const { metric: name, record } of observed) records.store(key, name, record)
    const failing = observed.some(({ record }) => record.error !== undefined)
    const fallback = observed.some(({ record }) => record.fallback)
    if (failing) caches.clear(key)
    if (!fallback && failing) throw new KedaError(`metric:${metric} encountered error`)
    if (observed.every(({ record }) => record.values.length === 0))
      throw new KedaError(`no matching metrics found for ${metric}`)
    return compositeOf(held.object, observed, cache, fallback)
  }

  /** The metrics a request is about, in lower case: for the composite, all. Follows getTrueMetricArray. */
  private metricNames(key: string, metric: string, object: o.ScaledObject): string[] {
    if (!object.spec.advanced?.scalingModifiers?.target) return [metric.toLowerCase()]
    const own = object.status?.externalMetricNames ?? []
    const names = own.length > 0 ? own : (this.fresh(key)?.status?.externalMetricNames ?? [])
    if (names.length === 0)
      this.context.kube.event(
        object,
        'Warning',
        'KEDAScalerFailed',
        `no metrics found getting metricsArray array ${metric}`,
      )
    return names.map((name) => name.toLowerCase())
  }

  private fresh(key: string): o.ScaledObject | undefined {
    return this.context.kube.get(ScaledObject, key)
  }
}

/** What serves external.metrics.k8s.io where KEDA is: one value of each series. */
export const kedaBackend = (metrics: KedaMetricsServer): ExternalBackend => ({
  *external(metric, namespace, selector) {
    const { milli, at } = yield* metrics.external(metric, namespace, selector)
    return milli.map((value) => ({ milli: value, at }))
  },
})

const ownerIn = (selector: o.LabelSelector | undefined): string | undefined =>
  selector?.matchLabels?.[OWNER_LABEL] || undefined

/** In the words of the Status: who asks puts its own before them. */
const refusal = (message: string): MetricsError => new MetricsError(message)

function scalersOf(caches: ScaleHandler['caches'], key: string): ReturnType<ScaleHandler['caches']['byKey']> {
  try {
    return caches.byKey(key)
  } catch (error) {
    throw error instanceof KedaError ? new KedaError(`error getting scalers ${error.message}`) : error
  }
}
