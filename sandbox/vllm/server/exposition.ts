import type { MetricFamily } from '../../metrics/sample.ts'
import type { InferenceObserver } from '../../nodes/program.ts'
import type { Clock } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds, type Us } from '../../world/time.ts'
import type { ExposedFamilies, LabelCache } from '../engine/metric-families.ts'
import { apiServerCpuSeconds } from './accounts.ts'
import type { FrontEnd } from './front-end.ts'
import { HttpMetrics } from './http-metrics.ts'
import { familiesOfServer } from './metric-names.ts'
import type { RunnableServer } from './resolve.ts'

/** What of an exposition has samples of some names. */
interface Part {
  readonly process: boolean
  readonly http: boolean
  readonly exposes: ExposedFamilies
}

/** What a vLLM server exposes on `/metrics`: Python's process families, the engine's, and those of its HTTP requests. */
// follows vllm/entrypoints/serve/instrumentator/metrics.py
export class Exposition {
  /** Requests that ended well, and their output tokens. */
  readonly answered = { requests: 0, outputTokens: 0 }
  private readonly clock: Clock
  private readonly server: RunnableServer
  private readonly startedAt: Us
  private readonly http: HttpMetrics
  private readonly labelCaches: LabelCache[] = []
  private readonly exposes: ExposedFamilies
  private readonly parts = new WeakMap<ReadonlySet<string>, Part>()

  constructor(clock: Clock, server: RunnableServer) {
    this.clock = clock
    this.server = server
    this.startedAt = clock.now
    this.http = new HttpMetrics(clock)
    this.exposes = familiesOfServer(server)
  }

  /** The observer, with its request counted when it ends. The simulator does not tell which route a client took: the chat one is taken. */
  counted(observer: InferenceObserver): InferenceObserver {
    return new Counted(observer, this.clock.now, this)
  }

  /** An answer of a request that came at `since` has gone out whole. */
  ended(since: Us, { at, outputTokens }: Parameters<InferenceObserver['finished']>[0]): void {
    this.answered.requests++
    this.answered.outputTokens += outputTokens
    this.http.count('2xx', toSeconds(at - since))
  }

  /** A request that came at `since` failed. */
  failed(since: Us, { at, status }: Parameters<InferenceObserver['failed']>[0]): void {
    if (status !== undefined) this.http.count(`${Math.floor(status / 100)}xx`, toSeconds(at - since))
  }

  families(frontEnd: FrontEnd, wanted?: ReadonlySet<string>): readonly MetricFamily[] {
    if (!wanted) return [...this.process(), ...this.engines(frontEnd, this.exposes), ...this.http.families()]
    const part = this.partOf(wanted)
    const all = [
      ...(part.process ? this.process() : []),
      ...(part.exposes.families.length > 0 ? this.engines(frontEnd, part.exposes, wanted) : []),
      ...(part.http ? this.http.families() : []),
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
        process: names.some((name) => name.startsWith('process_')),
        http: names.some((name) => name.startsWith('http_')),
        exposes: { engine, families: families.filter((family) => names.some((name) => name.startsWith(family.name))) },
      }
      this.parts.set(wanted, part)
    }
    return part
  }

  private engines(frontEnd: FrontEnd, exposes: ExposedFamilies, wanted?: ReadonlySet<string>): readonly MetricFamily[] {
    const { settings, memory } = this.server
    const modelName = settings.servedModelNames.value[0]!
    const cacheConfig = {
      block_size: String(memory.blockSize),
      cache_dtype: settings.kvCacheDtype.value,
      enable_prefix_caching: settings.enablePrefixCaching.value ? 'True' : 'False',
      gpu_memory_utilization: String(settings.gpuMemoryUtilization.value),
      num_gpu_blocks: String(memory.numGpuBlocks),
    }
    const [first = [], ...others] = frontEnd.engines.map((engine, i) => {
      this.labelCaches[i] ??= new Map()
      const labelCache = this.labelCaches[i]
      return engine.metrics({
        modelName,
        engine: i,
        exposes,
        blockSize: memory.blockSize,
        cacheConfig,
        labelCache,
        wanted,
      })
    })
    if (others.length === 0) return first
    return first.map((family, i) => ({
      ...family,
      samples: [...family.samples, ...others.flatMap((families) => families[i]!.samples)],
    }))
  }

  /** Of the API server process alone, as upstream. */
  private process(): readonly MetricFamily[] {
    const one = (name: string, help: string, value: number, type: MetricFamily['type'] = 'gauge'): MetricFamily => ({
      name,
      help,
      type,
      samples: [{ name, labels: [], value }],
    })
    return [
      one('process_virtual_memory_bytes', 'Virtual memory size in bytes.', 4.87354368e9),
      one('process_resident_memory_bytes', 'Resident memory size in bytes.', 1.056653312e9),
      one(
        'process_start_time_seconds',
        'Start time of the process since unix epoch in seconds.',
        EPOCH_MS / 1e3 + toSeconds(this.startedAt),
      ),
      one(
        'process_cpu_seconds_total',
        'Total user and system CPU time spent in seconds.',
        API_START_CPU_SECONDS + apiServerCpuSeconds(this.answered),
        'counter',
      ),
      one('process_open_fds', 'Number of open file descriptors.', 34),
      one('process_max_fds', 'Maximum number of open file descriptors.', 1_048_576),
    ]
  }
}

/** CPU seconds of the API server when it is up, as recorded. */
const API_START_CPU_SECONDS = 14.8

class Counted implements InferenceObserver {
  readonly headers: InferenceObserver['headers']
  private readonly observer: InferenceObserver
  private readonly since: Us
  private readonly counts: Exposition

  constructor(observer: InferenceObserver, since: Us, counts: Exposition) {
    this.observer = observer
    this.since = since
    this.counts = counts
    this.headers = observer.headers && ((at, lastSentAt) => observer.headers?.(at, lastSentAt))
  }

  firstToken(at: Us): void {
    this.observer.firstToken(at)
  }

  finished(result: Parameters<InferenceObserver['finished']>[0]): void {
    this.counts.ended(this.since, result)
    this.observer.finished(result)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    this.counts.failed(this.since, failure)
    this.observer.failed(failure)
  }
}
