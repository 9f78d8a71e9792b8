import { kindOf } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import { type Actor, sleep, type Task } from '../../world/actor.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Labels, Querier, QueryValue } from '../querier.ts'
import type { AdapterConfig } from './config.ts'
import { type GroupResource, textOf } from './group-resource.ts'
import type { ExternalValue } from './metrics-client.ts'
import { type Namer, namerOf } from './namer.ts'

/** The series a selector matches that have samples in a span of time: Prometheus' `/api/v1/series`. */
export type SeriesFinder = (selector: string, from: Us, to: Us) => readonly Labels[]

export interface PrometheusAdapterOptions {
  readonly world: World
  /** Its own client, process `prometheus-adapter`. */
  readonly kube: Kube
  readonly querier: Querier
  readonly config: AdapterConfig
  /** `--metrics-relist-interval`. Default 10 m; the Helm chart sets 1 m. */
  readonly relistIntervalUs?: Us
  /** `--metrics-max-age`. Default the relist interval. */
  readonly maxAgeUs?: Us
  /** Default: asks the querier. */
  readonly series?: SeriesFinder
}

/** An error as the API answers it: its message is the Status'. */
export class AdapterStatusError extends Error {
  override readonly name = 'AdapterStatusError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** A value of the custom metrics API. */
export interface CustomValue {
  readonly name: string
  readonly milli: number
  readonly at: Us
}

interface Known {
  readonly series: string
  readonly namer: Namer
}

const RELIST: Us = seconds(600)
/** A query of Prometheus over the network. */
const QUERY_TAKES: Us = ms(5)

/**
 * prometheus-adapter: lists the series its rules are about once a relist interval, and answers the custom and external metrics APIs
 * by queries. A metric is not found before its series were listed, and no longer when they are not.
 */
export class PrometheusAdapter {
  readonly config: AdapterConfig
  private readonly options: PrometheusAdapterOptions
  private readonly namers: readonly Namer[]
  private readonly externalNamers: readonly Namer[]
  private readonly actor: Actor
  /** Metric, resource and scope → the series to query. */
  private custom = new Map<string, Known>()
  private externals = new Map<string, Known>()

  /** Throws what `namerOf` throws: the adapter does not start. */
  constructor(options: PrometheusAdapterOptions) {
    this.options = options
    this.config = options.config
    this.namers = options.config.rules.map(namerOf)
    this.externalNamers = options.config.externalRules.map(namerOf)
    this.actor = options.world.spawn('prometheus-adapter/relist', this.run())
  }

  stop(): void {
    this.actor.stop()
  }

  /** Lists what there is now. A failed listing leaves the last one. */
  // follows updateMetrics of pkg/custom-provider/provider.go and pkg/external-provider/periodic_metric_lister.go
  relist(): void {
    const custom = this.listed(this.namers)
    if (custom) this.custom = this.customFrom(custom)
    const external = this.listed(this.externalNamers)
    if (external) this.externals = externalFrom(external)
  }

  /** One object's value. */
  // follows GetMetricByName of pkg/custom-provider/provider.go
  *byName(
    resource: GroupResource,
    namespace: string,
    name: string,
    metric: string,
    selector?: LabelSelector,
  ): Task<CustomValue> {
    const { known, samples } = yield* this.ask(resource, namespace, metric, selector, [name])
    const missing = () =>
      new AdapterStatusError(404, `the server could not find the metric ${metric} for ${textOf(resource)} ${name}`)
    if (samples.length === 0) throw missing()
    const value = byLabel(samples, known.namer.labelFor(resource)).get(name)
    if (value === undefined) throw missing()
    return { name, milli: milliOf(value), at: this.now }
  }

  /** The values of all objects a selector matches; those without one are left out. */
  // follows GetMetricBySelector of pkg/custom-provider/provider.go
  *bySelector(
    resource: GroupResource,
    namespace: string,
    objects: LabelSelector,
    metric: string,
    selector?: LabelSelector,
  ): Task<readonly CustomValue[]> {
    const names = this.namesOf(resource, namespace, objects)
    const { known, samples } = yield* this.ask(resource, namespace, metric, selector, names)
    const values = byLabel(samples, known.namer.labelFor(resource))
    return names.flatMap((name) => {
      const value = values.get(name)
      return value === undefined ? [] : [{ name, milli: milliOf(value), at: this.now }]
    })
  }

  /** Every series of an external metric. */
  // follows pkg/external-provider/provider.go and metric_converter.go
  *external(metric: string, namespace: string, selector?: LabelSelector): Task<readonly ExternalValue[]> {
    const known = this.externals.get(metric)
    if (!known) {
      const about = namespace === 'default' ? 'namespaces' : ''
      throw new AdapterStatusError(404, `the server could not find the metric ${metric} for ${about}`)
    }
    const result = yield* this.query(() => known.namer.externalQuery(known.series, namespace, selector))
    if (result.type === 'string') throw unableToFetch()
    const milli = (value: number) => Math.trunc(value * 1000)
    if (result.type === 'scalar') return [{ milli: milli(result.value), at: this.now }]
    return result.samples.map(({ labels, value }) => ({ milli: milli(value), at: this.now, labels }))
  }

  /** Names of the custom metrics it would list now, like `pods/queue_depth`. */
  get customMetrics(): readonly string[] {
    return [...this.custom.keys()].map((key) => key.split(' ').slice(0, 2).reverse().join('/'))
  }

  get externalMetrics(): readonly string[] {
    return [...this.externals.keys()]
  }

  private get now(): Us {
    return this.options.world.clock.now
  }

  private *run(): Task {
    for (;;) {
      this.relist()
      yield* sleep(this.options.relistIntervalUs ?? RELIST)
    }
  }

  /** For each rule its series; undefined when Prometheus did not answer. */
  private listed(namers: readonly Namer[]): readonly (readonly [Namer, readonly Labels[]])[] | undefined {
    const maxAge = this.options.maxAgeUs ?? this.options.relistIntervalUs ?? RELIST
    const find = this.options.series ?? seriesBy(this.options.querier)
    const found = new Map<string, readonly Labels[]>()
    try {
      return namers.map((namer) => {
        const series = found.get(namer.seriesQuery) ?? find(namer.seriesQuery, this.now - maxAge, this.now)
        found.set(namer.seriesQuery, series)
        return [namer, namer.filter(series)] as const
      })
    } catch {
      return undefined
    }
  }

  // follows SetSeries of pkg/custom-provider/series_registry.go
  private customFrom(listed: readonly (readonly [Namer, readonly Labels[]])[]): Map<string, Known> {
    const out = new Map<string, Known>()
    for (const [namer, all] of listed)
      for (const series of all) {
        const name = namer.metricName(series.__name__ ?? '')
        if (name === undefined) continue
        for (const resource of namer.resourcesOf(series))
          out.set(keyOf(name, resource), { series: series.__name__!, namer })
      }
    return out
  }

  private *ask(
    resource: GroupResource,
    namespace: string,
    metric: string,
    selector: LabelSelector | undefined,
    names: readonly string[],
  ): Task<{ known: Known; samples: Extract<QueryValue, { type: 'vector' }>['samples'] }> {
    const known = this.custom.get(keyOf(metric, resource))
    const notFound = new AdapterStatusError(
      404,
      `the server could not find the metric ${metric} for ${textOf(resource)}`,
    )
    // no object at all is told in the same words
    if (!known || names.length === 0) throw notFound
    let expr: string
    try {
      expr = known.namer.query(known.series, resource, resource.namespaced ? namespace : '', selector, names)
    } catch {
      throw notFound
    }
    const result = yield* this.query(() => expr)
    if (result.type !== 'vector') throw unableToFetch()
    return { known, samples: result.samples }
  }

  private *query(expr: () => string): Task<QueryValue> {
    yield* sleep(QUERY_TAKES)
    try {
      return this.options.querier.instant(expr(), this.now)
    } catch {
      throw unableToFetch()
    }
  }

  private namesOf(resource: GroupResource, namespace: string, selector: LabelSelector): readonly string[] {
    const apiVersion = resource.group === '' ? 'v1' : `${resource.group}/v1`
    const kind = kindOf({
      apiVersion: resource.group === 'autoscaling' ? 'autoscaling/v2' : apiVersion,
      kind: resource.kind,
    })
    const scope = resource.namespaced ? { namespace, selector } : { selector }
    // the API server lists in the order of keys
    return this.options.kube
      .list(kind, scope)
      .map(({ metadata }) => metadata.name)
      .sort()
  }
}

const keyOf = (metric: string, resource: GroupResource): string => `${metric} ${textOf(resource)}`

// implementation details are kept from who asks
const unableToFetch = () => new AdapterStatusError(500, 'Internal error occurred: unable to fetch metrics')

/** Thousandths, towards zero; NaN is 0. */
const milliOf = (value: number): number => (Number.isNaN(value) ? 0 : Math.trunc(value * 1000))

const byLabel = (
  samples: Extract<QueryValue, { type: 'vector' }>['samples'],
  label: string,
): ReadonlyMap<string, number> => new Map(samples.map(({ labels, value }) => [labels[label] ?? '', value]))

// follows filterAndStoreMetrics of pkg/external-provider/external_series_registry.go
function externalFrom(listed: readonly (readonly [Namer, readonly Labels[]])[]): Map<string, Known> {
  const out = new Map<string, Known>()
  for (const [namer, all] of listed)
    for (const series of all) {
      const name = namer.metricName(series.__name__ ?? '')
      if (name !== undefined) out.set(name, { series: series.__name__!, namer })
    }
  return out
}

/** Series found by a query: `last_over_time` keeps names and gives one sample for each series of the span. */
export const seriesBy =
  (querier: Querier): SeriesFinder =>
  (selector, from, to) => {
    const result = querier.instant(`last_over_time(${selector}[${Math.max(1, Math.round((to - from) / 1e6))}s])`, to)
    return result.type === 'vector' ? result.samples.map((s) => s.labels) : []
  }
