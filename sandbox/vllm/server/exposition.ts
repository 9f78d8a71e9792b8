import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import type { InferenceObserver } from '../../nodes/program.ts'
import type { Clock } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds, type Us } from '../../world/time.ts'
import type { EngineHost } from '../engine/engine-host.ts'
import type { ExposedFamilies, LabelCache } from '../engine/metric-families.ts'
import type { SleepState } from '../engine/metric-quantities.ts'
import { apiServerCpuSeconds } from './accounts.ts'
import { cacheConfigLabels } from './cache-config.ts'
import { flagValue, hasLora } from './flag-values.ts'
import { HttpMetrics } from './http-metrics.ts'
import { SleepMetrics, ToolCallMetrics } from './late-metrics.ts'
import { familiesOfServer } from './metric-names.ts'
import { processFamilies } from './process-metrics.ts'
import type { RunnableServer } from './resolve.ts'

export interface ExpositionOptions {
  /** As many from the start as there will be; none before the server is up. */
  readonly engines: () => readonly EngineHost[]
}

/** What of an exposition has samples of some names. */
interface Part {
  readonly process: boolean
  readonly http: boolean
  readonly late: boolean
  readonly exposes: ExposedFamilies
}

/** What a vLLM server exposes on `/metrics`: Python's process families, the engine's, and those of its HTTP requests. */
// follows vllm/entrypoints/serve/instrumentator/metrics.py
export class Exposition {
  /** Requests that ended well, and their output tokens. */
  readonly answered = { requests: 0, outputTokens: 0 }
  readonly http: HttpMetrics
  readonly sleep: SleepMetrics
  readonly tools: ToolCallMetrics | undefined
  /** Set by whoever puts the engines to sleep. */
  sleepState: SleepState = 'awake'
  private readonly clock: Clock
  private readonly server: RunnableServer
  private readonly options: ExpositionOptions
  private readonly startedAt: Us
  private readonly labelCaches: LabelCache[] = []
  private readonly exposes: ExposedFamilies
  private readonly parts = new WeakMap<ReadonlySet<string>, Part>()
  private cacheConfig: Readonly<Record<string, string>> | undefined

  constructor(clock: Clock, server: RunnableServer, options: ExpositionOptions) {
    this.clock = clock
    this.server = server
    this.options = options
    this.startedAt = clock.now
    this.http = new HttpMetrics(clock)
    this.sleep = new SleepMetrics(clock)
    const parser = flagValue(server, 'tool_call_parser') ?? undefined
    this.tools = parser === undefined ? undefined : new ToolCallMetrics(clock, this.modelName)
    this.exposes = familiesOfServer(server)
  }

  /** Submits a request and counts it when it ends, or its client leaves. `route` is the one its client took, as far as it is known. */
  counting(
    observer: InferenceObserver,
    route: string | undefined,
    submit: (observer: InferenceObserver) => () => void,
  ): () => void {
    const counted = new CountedAnswer(observer, this.clock, this, route ?? '/v1/chat/completions')
    const hangUp = submit(counted)
    return () => {
      hangUp()
      counted.left()
    }
  }

  /** A POST of the simulator was answered; it had no body. */
  countPost(handler: string, status: number, duration: Us): void {
    const seconds = toSeconds(duration)
    this.http.count({ handler, path: handler, method: 'POST', status, requestBytes: 0, responseBytes: 0, seconds })
  }

  /** All families in vLLM's order; with `wanted` those that have samples of these names. */
  families(wanted?: ReadonlySet<string>): readonly MetricFamily[] {
    if (!wanted) return [...this.process(), ...this.engines(this.exposes), ...this.http.families(), ...this.late()]
    const part = this.partOf(wanted)
    const all = [
      ...(part.process ? this.process() : []),
      ...(part.exposes.families.length > 0 ? this.engines(part.exposes, wanted) : []),
      ...(part.http ? this.http.families() : []),
      ...(part.late ? this.late() : []),
    ]
    return all.filter(({ samples }) => samples.some(({ name }) => wanted.has(name)))
  }

  /** What may have samples of these names. A scrape asks for the same ones over and over. */
  private partOf(wanted: ReadonlySet<string>): Part {
    let part = this.parts.get(wanted)
    if (!part) {
      const { engine, families } = this.exposes
      const names = [...wanted]
      part = {
        process: names.some((name) => name.startsWith('process_') || name.startsWith('python_')),
        http: names.some((name) => name.startsWith('http_')),
        late: names.some((name) => name.startsWith('vllm:sleep_') || name.startsWith('vllm:tool_')),
        exposes: {
          engine,
          // what only some servers have stands beside the last of all
          families: families.filter(({ name: own }) =>
            names.some((name) => name.startsWith(own) || (name === LORA_INFO && own === 'vllm:cache_config_info')),
          ),
        },
      }
      this.parts.set(wanted, part)
    }
    return part
  }

  private get modelName(): string {
    return this.server.settings.servedModelNames.value[0]!
  }

  private engines(exposes: ExposedFamilies, wanted?: ReadonlySet<string>): readonly MetricFamily[] {
    if (flagValue(this.server, 'disable_log_stats') === true) return []
    this.cacheConfig ??= cacheConfigLabels(this.server)
    const { blockSize } = this.server.memory
    const { modelName, cacheConfig, sleepState } = this
    const maxLoras = hasLora(this.server) ? Number(flagValue(this.server, 'max_loras') ?? 1) : undefined
    const shared = { modelName, exposes, blockSize, cacheConfig, sleepState, wanted, maxLoras }
    const perEngine = this.options.engines().map((host, engine) => {
      this.labelCaches[engine] ??= new Map()
      return host.metrics({ ...shared, engine, labelCache: this.labelCaches[engine] })
    })
    const [first = []] = perEngine
    return perEngine.length < 2 ? first : first.map((_, i) => merged(perEngine.map((families) => families[i]!)))
  }

  private process(): readonly MetricFamily[] {
    const requests = this.http.requestsCounted
    const outputTokens = this.options.engines().reduce((sum, engine) => sum + engine.stats().generatedTokens, 0)
    return processFamilies({
      startedAt: EPOCH_MS / 1e3 + toSeconds(this.startedAt),
      cpuSeconds: API_START_CPU_SECONDS + apiServerCpuSeconds({ requests, outputTokens }),
      requests,
    })
  }

  private late(): readonly MetricFamily[] {
    return [...(this.tools?.families() ?? []), ...this.sleep.families()]
  }
}

const LORA_INFO = 'vllm:lora_requests_info'

/** CPU seconds of the API server when it is up, as recorded. */
const API_START_CPU_SECONDS = 14.8

/** One family of several engines: series by series, each of them of all engines; of what has no engine, the first's or the latest. */
function merged(families: readonly MetricFamily[]): MetricFamily {
  const [first] = families as [MetricFamily]
  if (first.name === LORA_INFO) return { ...first, samples: latestOf(families.flatMap(({ samples }) => samples)) }
  if (!first.samples[0]?.labels.some(([name]) => name === 'engine')) return first
  const whole = first.type === 'histogram' ? first.samples.length : 1
  const samples: Sample[] = []
  for (let i = 0; i < first.samples.length; i += whole)
    for (const family of families) samples.push(...family.samples.slice(i, i + whole))
  return { ...first, samples }
}

function latestOf(samples: readonly Sample[]): Sample[] {
  const byAdapters = new Map<string, Sample>()
  for (const sample of samples) {
    const key = sample.labels[1]![1]
    if (sample.value > (byAdapters.get(key)?.value ?? 0)) byAdapters.set(key, sample)
  }
  return [...byAdapters.values()]
}

/** Passes on what it is told, and counts the request once it has ended. */
class CountedAnswer implements InferenceObserver {
  readonly headers: InferenceObserver['headers']
  private readonly observer: InferenceObserver
  private readonly clock: Clock
  private readonly since: Us
  private readonly counts: Exposition
  private readonly route: string
  private open = true

  constructor(observer: InferenceObserver, clock: Clock, counts: Exposition, route: string) {
    this.observer = observer
    this.clock = clock
    this.since = clock.now
    this.counts = counts
    this.route = route
    this.headers = observer.headers && ((at, lastSentAt) => observer.headers?.(at, lastSentAt))
  }

  firstToken(at: Us): void {
    this.observer.firstToken(at)
  }

  finished(result: Parameters<InferenceObserver['finished']>[0]): void {
    this.open = false
    this.counts.answered.requests++
    this.counts.answered.outputTokens += result.outputTokens
    this.counts.countPost(this.route, 200, result.at - this.since)
    this.observer.finished(result)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    this.open = false
    const { at, status } = failure
    if (status !== undefined) this.counts.countPost(this.route, status, at - this.since)
    this.observer.failed(failure)
  }

  /** The client has hung up: upstream counts it as answered. */
  left(): void {
    if (!this.open) return
    this.open = false
    this.counts.countPost(this.route, 200, this.clock.now - this.since)
  }
}
