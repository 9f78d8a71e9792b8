import type { Kube } from '../../kube/kube.ts'
import { nextTick } from '../../nodes/timings.ts'
import type { Timer } from '../../world/clock.ts'
import { seconds } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { type Querier, QueryError, type QueryValue } from '../querier.ts'
import type { Appender } from './appender.ts'
import type { ScrapeSource } from './config-source.ts'
import { discover, kindsOf } from './discovery.ts'
import type { ScrapeFaultBoard } from './faults.ts'
import type { ScrapeNetwork } from './network.ts'
import type { Discovery, ScrapeConfig, Unmodelled } from './scrape-config.ts'
import { ScrapeLoop } from './scrape-loop.ts'
import { fnv64a, type Target, targetOf } from './target.ts'

export interface PrometheusOptions {
  readonly world: World
  /** Its own client, process `prometheus`. */
  readonly kube: Kube
  readonly network: ScrapeNetwork
  readonly appender: Appender
  /** Where its scrape jobs come from. */
  readonly source: ScrapeSource
  readonly faults: ScrapeFaultBoard
  /** Names that are stored: those somebody asks for. Default all. */
  readonly wanted?: 'all' | ReadonlySet<string>
  /** Tells Prometheus servers apart where there are several. */
  readonly name?: string
}

interface KnownGroup {
  readonly from: readonly object[]
  readonly targets: readonly Target[]
}

/** Discoverers send what changed at most this often, and scrape pools take it up at most this often. */
const UPDATE_PERIOD = seconds(5)

/**
 * A Prometheus server: finds targets through the API server, scrapes each in its own rhythm, and keeps what it gets in the store.
 * Changes of targets are taken up as upstream: by two tickers of five seconds, one after the other.
 */
// follows discovery/manager.go and scrape/manager.go of prometheus/prometheus
export class Prometheus {
  /** What its configuration has that is not simulated. */
  unmodelled: readonly Unmodelled[] = []
  private readonly options: PrometheusOptions
  private readonly offsetSeed: bigint
  private readonly sendPhase: number
  private readonly reloadPhase: number
  private readonly watched = new Set<string>()
  private readonly stops: (() => void)[] = []
  /** By job, then by target. */
  private pools = new Map<string, { config: ScrapeConfig; loops: Map<string, ScrapeLoop> }>()
  private readonly groups = new WeakMap<Discovery, Map<string, KnownGroup>>()
  private pending: Timer | undefined
  private running = false

  constructor(options: PrometheusOptions) {
    const name = options.name ?? 'prometheus'
    const random = options.world.random(`${name}/tickers`)
    this.options = options
    this.offsetSeed = fnv64a(`${name} ${options.world.seed}`)
    this.sendPhase = random.int(UPDATE_PERIOD)
    this.reloadPhase = random.int(UPDATE_PERIOD)
    this.start()
  }

  get up(): boolean {
    return this.running
  }

  /** The process ends: nothing is scraped, queries fail. What was stored stays. */
  stop(): void {
    this.running = false
    this.pending?.cancel()
    this.pending = undefined
    for (const stop of this.stops.splice(0)) stop()
    this.watched.clear()
    for (const { loops } of this.pools.values()) for (const loop of loops.values()) loop.kill()
    this.pools.clear()
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.stops.push(this.options.source.watch(() => this.changed()))
    this.changed()
  }

  targets(): readonly Target[] {
    return [...this.pools.values()].flatMap(({ loops }) => [...loops.values()].map((loop) => loop.target))
  }

  /** The querier, as it is reached through this server: down with it. */
  guard(querier: Querier): Querier {
    return {
      instant: (expr, at): QueryValue => {
        if (!this.running) throw new QueryError('PROMQL_UNAVAILABLE', 'connect: connection refused')
        return querier.instant(expr, at)
      },
    }
  }

  /** Something discovered or configured changed; it is taken up at the next ticks. */
  private changed(): void {
    if (this.pending || !this.running) return
    const { clock } = this.options.world
    const sent = nextTick(clock.now, this.sendPhase, UPDATE_PERIOD)
    this.pending = clock.at(nextTick(sent, this.reloadPhase, UPDATE_PERIOD), () => {
      this.pending = undefined
      this.sync()
    })
  }

  private sync(): void {
    const { configs, unmodelled } = this.options.source.read()
    this.unmodelled = unmodelled
    const next: typeof this.pools = new Map()
    for (const config of configs) {
      const old = this.pools.get(config.jobName)
      // a job that is configured anew keeps the targets it has, as upstream's reload does when their labels are the same
      next.set(config.jobName, { config, loops: this.syncPool(config, old?.loops ?? new Map()) })
    }
    for (const [name, { loops }] of this.pools) if (!next.has(name)) for (const loop of loops.values()) loop.stop()
    this.pools = next
  }

  private syncPool(config: ScrapeConfig, old: ReadonlyMap<string, ScrapeLoop>): Map<string, ScrapeLoop> {
    const loops = new Map<string, ScrapeLoop>()
    for (const discovery of config.discoveries) {
      if (discovery.kind === 'kubernetes') this.watch(discovery.role)
      for (const target of this.targetsOf(config, discovery)) {
        if (!loops.has(target.key)) loops.set(target.key, this.loopOf(target, old.get(target.key)))
      }
    }
    for (const [key, loop] of old) if (loops.get(key) !== loop) loop.stop()
    return loops
  }

  /** The targets of groups; those whose objects have not changed are not worked out again. */
  private *targetsOf(config: ScrapeConfig, discovery: Discovery): Generator<Target> {
    const before = this.groups.get(discovery)
    const after = new Map<string, KnownGroup>()
    this.groups.set(discovery, after)
    for (const group of discover(discovery, this.options.kube)) {
      const known = before?.get(group.key)
      const same = known && known.from.length === group.from.length && known.from.every((o, i) => o === group.from[i])
      const entry = same
        ? known
        : { from: group.from, targets: group.build().flatMap((labels) => targetOf(labels, config) ?? []) }
      after.set(group.key, entry)
      yield* entry.targets
    }
  }

  private loopOf(target: Target, old: ScrapeLoop | undefined): ScrapeLoop {
    if (old && sameRhythm(old.target, target)) return old
    const { world, network, appender, wanted, faults, kube } = this.options
    return new ScrapeLoop({
      clock: world.clock,
      target,
      network,
      appender,
      wanted: wanted === 'all' ? undefined : wanted,
      offsetSeed: this.offsetSeed,
      faults: faults.of(kube),
    })
  }

  private watch(role: keyof typeof kindsOf): void {
    for (const kind of kindsOf[role]) {
      if (this.watched.has(kind.id)) continue
      this.watched.add(kind.id)
      const changed = () => this.changed()
      this.stops.push(this.options.kube.watch(kind as never, { added: changed, updated: changed, deleted: changed }))
    }
  }
}

const sameRhythm = (a: Target, b: Target): boolean =>
  a.config === b.config || (a.intervalUs === b.intervalUs && a.timeoutUs === b.timeoutUs && sameJob(a.config, b.config))

/** Whether two readings of a job's configuration treat samples alike. */
const sameJob = (a: ScrapeConfig, b: ScrapeConfig): boolean =>
  a.honorLabels === b.honorLabels &&
  a.honorTimestamps === b.honorTimestamps &&
  a.sampleLimit === b.sampleLimit &&
  a.metricRelabel.length === b.metricRelabel.length &&
  a.metricRelabel.every(
    (rule, i) =>
      String(rule.regex) === String(b.metricRelabel[i]!.regex) && textOf(rule) === textOf(b.metricRelabel[i]!),
  )

const textOf = (rule: ScrapeConfig['metricRelabel'][number]): string =>
  [rule.action, rule.sourceLabels.join(), rule.separator, rule.modulus, rule.targetLabel, rule.replacement].join(
    '\u0000',
  )
