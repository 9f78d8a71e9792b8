import { compareVersions } from '../../../fixtures/vllm/index.ts'
import type { GpuUsage } from '../../nodes/program.ts'
import { toSeconds, type Us } from '../../world/time.ts'
import type { EngineStats } from '../engine/engine.ts'
import { weightsBytesPerGpu } from '../memory/weights.ts'
import type { RunnableServer } from './resolve.ts'
import type { StartupProgress } from './starter.ts'

/** What has happened to a server so far, as far as it costs anything. */
export interface ServerPhases {
  readonly now: Us
  readonly readyAt: Us | undefined
  readonly startup?: StartupProgress
  readonly engines: readonly EngineStats[]
  /** Requests answered, with their output tokens. */
  readonly answered: { readonly requests: number; readonly outputTokens: number }
  readonly gone: boolean
}

/**
 * CPU seconds of the API server process for each request and output token: reading, tokenising, detokenising, writing events.
 * From recordings of vLLM 0.32's `process_cpu_seconds_total`: 50 requests with 2,061 output tokens cost 0.70 to 1.13 s.
 */
const PER_REQUEST_CPU_SECONDS = 4e-3
const PER_OUTPUT_TOKEN_CPU_SECONDS = 0.3e-3

/** Timers, health checks, logging once in ten seconds. */
const QUIET_CPU_CORES = 0.02

/** Resident memory: the API server as recorded (1.06 GB), and what a process with a CUDA context takes. Page cache is left out. */
const API_SERVER_BYTES = 1.06e9
const WORKER_BYTES = 3.5e9

/** Mean share of weights read again for the KV cache of a batch in a step is left out: a lower bound of memory traffic. */
const bytesOfStep = (server: RunnableServer): number => weightsBytesPerGpu(server.model, server.settings)

/**
 * Cores that an idle server uses. The engine waits for requests without spinning. With tensor or pipeline parallelism its
 * workers wait on shared memory: they go to sleep a second after the last step (SpinCondition in
 * vllm/distributed/device_communicators/shm_broadcast.py, 0.32). Before 0.9 they spun for good, a core each; from then on until
 * SpinCondition they did so unless `VLLM_SLEEP_WHEN_IDLE=1`. When SpinCondition came is not known here: 0.16 is taken.
 */
export function defaultIdleCpuCores({
  settings,
  version,
  command,
}: Pick<RunnableServer, 'settings' | 'version' | 'command'>): number {
  const workers = settings.tensorParallelSize.value * settings.pipelineParallelSize.value
  if (workers === 1 || compareVersions(version.version, '0.16.0') >= 0) return QUIET_CPU_CORES
  const sleeps = command.environment.VLLM_SLEEP_WHEN_IDLE === '1' && compareVersions(version.version, '0.9.0') >= 0
  return sleeps ? QUIET_CPU_CORES : QUIET_CPU_CORES + workers
}

/** CPU seconds the API server's process spent on requests. */
export const apiServerCpuSeconds = ({ requests, outputTokens }: ServerPhases['answered']): number =>
  requests * PER_REQUEST_CPU_SECONDS + outputTokens * PER_OUTPUT_TOKEN_CPU_SECONDS

/** What a server costs its node, worked out from what it did: nothing is sampled, so sums over time are exact. */
export class ServerAccounts {
  private readonly server: RunnableServer
  private readonly startedAt: Us
  private readonly idleCpuCores: number
  private readonly workers: number
  /** GPUs of one engine step together; every one does the same. */
  private readonly flopsPerTokenAndGpu: number

  constructor(server: RunnableServer, startedAt: Us, idleCpuCores?: number) {
    const { settings } = server
    this.server = server
    this.startedAt = startedAt
    this.idleCpuCores = idleCpuCores ?? defaultIdleCpuCores(server)
    this.workers = settings.tensorParallelSize.value * settings.pipelineParallelSize.value
    this.flopsPerTokenAndGpu = (2 * activeParameters(server)) / this.workers
  }

  /**
   * CPU: one core while it starts (one for each worker), the idle cores while it is up, a core for the engine's loop and one for
   * each worker of a parallel group while steps run (they wait for the GPU by spinning), and the API server's work: of one core, for it is
   * one thread of Python.
   */
  usage(phases: ServerPhases): { cpuSeconds: number; memoryBytes: number } {
    const { now, readyAt, engines, answered } = phases
    const dataParallel = this.server.settings.dataParallelSize.value
    const starting = toSeconds((readyAt ?? now) - this.startedAt) * this.workers * dataParallel
    const up = readyAt === undefined ? 0 : toSeconds(now - readyAt)
    const coresWhileBusy = this.workers > 1 ? 1 + this.workers : 1
    const running = engines.reduce((sum, engine) => sum + busySecondsOf(engine, now), 0)
    return {
      cpuSeconds:
        starting + up * this.idleCpuCores + running * coresWhileBusy + Math.min(running, apiServerCpuSeconds(answered)),
      memoryBytes: API_SERVER_BYTES + WORKER_BYTES * this.workers * dataParallel,
    }
  }

  gpuUsage(phases: ServerPhases): GpuUsage {
    const { engines, now } = phases
    const { gpu } = this.server
    // every data-parallel engine has GPUs of its own: the mean over them
    const perEngine = (of: (engine: EngineStats) => number) =>
      engines.length === 0 ? 0 : engines.reduce((sum, engine) => sum + of(engine), 0) / engines.length
    const busySeconds = perEngine((engine) => busySecondsOf(engine, now))
    const flops = perEngine((engine) => engine.computedTokens) * this.flopsPerTokenAndGpu
    const bytes = perEngine((engine) => engine.steps) * bytesOfStep(this.server)
    return {
      busySeconds,
      tensorSeconds: Math.min(busySeconds, flops / gpu.bf16FlopsPerSecond),
      dramSeconds: Math.min(busySeconds, bytes / gpu.memoryBandwidthBytesPerSecond),
      memoryBytes: phases.gone ? 0 : this.gpuMemory(phases),
    }
  }

  private gpuMemory({ startup, readyAt }: ServerPhases): number {
    const { memory } = this.server
    const { overheads, weightsBytesPerGpu: weights, kvCacheBytesPerGpu } = memory
    const context = overheads.context.likely
    const loaded = context + overheads.runtime.likely + weights
    if (readyAt !== undefined) return loaded + overheads.cudagraphs.likely + kvCacheBytesPerGpu
    switch (startup?.phase) {
      case undefined:
      case 'imports':
      case 'engine':
        return 0
      case 'distributed':
      case 'fetch':
        return context
      case 'weights':
        return context + weights * startup.done
      case 'compile':
      case 'profile':
        return loaded
      default:
        return loaded + kvCacheBytesPerGpu
    }
  }
}

/** Seconds in which a step was under way. A hung step goes on: its kernels wait on the GPU. */
function busySecondsOf({ launchedUs, lastEndAt }: EngineStats, now: Us): number {
  return toSeconds(launchedUs - (lastEndAt === undefined ? 0 : lastEndAt - now))
}

/** Parameters one token is multiplied by. */
function activeParameters({ model }: RunnableServer): number {
  const { experts, layers, hiddenSize, parameters } = model
  if (!experts) return parameters
  const all = layers * experts.total * 3 * hiddenSize * experts.intermediateSize
  return parameters - Math.min(all, parameters) * (1 - experts.active / experts.total)
}
