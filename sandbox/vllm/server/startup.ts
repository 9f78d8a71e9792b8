import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { ServerSettings } from '../flags/settings.ts'
import { cudagraphSizes } from '../memory/limits.ts'
import type { MemoryPlan } from '../memory/memory.ts'
import type { LogRecord } from './log-format.ts'
import { phaseLogs } from './startup-logs.ts'

export type PhaseName =
  | 'imports'
  | 'engine'
  | 'distributed'
  | 'fetch'
  | 'weights'
  | 'compile'
  | 'profile'
  | 'cudagraphs'
  | 'api'

/** One phase of a start. */
export interface StartupPhase {
  readonly name: PhaseName
  /** In words: «load weights». */
  readonly title: string
  readonly durationUs: Us
  /** Log lines at the phase's start. */
  readonly opening: readonly LogRecord[]
  /** Log lines at its end, given how long it really took. */
  closing(tookUs: Us): readonly LogRecord[]
}

/** What decides how long a start takes. All of it is assumed unless given. */
export interface StartupOptions {
  /** Bytes a second at which a container reads its weights, all GPUs together. Default 2 GB/s, a local NVMe disk. */
  readonly loadBandwidthBytesPerSecond?: number
  /** Bytes a second from the model hub; set when the model has to be fetched first. */
  readonly fetchBandwidthBytesPerSecond?: number
  /** Measured time from process start to the first `/health` 200: phases are scaled to it. */
  readonly totalLoadUs?: Us
  /** Whether torch.compile finds its cache; a container's own disk is empty after a restart. Default cold. */
  readonly compileCache?: 'cold' | 'warm'
  /** Fetching and reading weights take this many times as long from the start. Default 1. */
  readonly loadFactor?: number
  /** CPU cores the server uses while it has nothing to do. Default: see `defaultIdleCpuCores`. */
  readonly idleCpuCores?: number
  /** As logs tell it. Default 1, a container's first. */
  readonly apiServerPid?: number
  /** What the router of this server has, as the log lists it: path and methods. Default: vLLM's default flags. */
  readonly routes?: readonly (readonly [path: string, methods: string])[]
  /** Adapters of `--lora-modules`, warnings of switches and the like that the API server prints. */
  readonly wire?: WireStartup
}

/** What the API server's switches add to the log of a start. */
export interface WireStartup {
  readonly devMode: boolean
  readonly runtimeLoraUpdating: boolean
  readonly loras: readonly { readonly name: string; readonly path: string }[]
  /** Flags given with other values than their defaults, as Python prints a dict of them. Left out: what the settings tell. */
  readonly nonDefaultArgs?: string
}

export interface StartupSubject {
  readonly model: ModelSpec
  readonly gpu: GpuSpec
  readonly settings: ServerSettings
  readonly version: string
  /** Absent when the memory plan refused: durations are needed up to the refusal. */
  readonly memory?: MemoryPlan
}

/** What phases print, beyond what the subject tells. */
export type StartupTexts = Pick<StartupOptions, 'apiServerPid' | 'routes' | 'wire'>

const DEFAULT_LOAD_BANDWIDTH = 2e9

const TITLES: Record<PhaseName, string> = {
  imports: 'start Python and import',
  engine: 'start the engine process',
  distributed: 'set up GPUs and NCCL',
  fetch: 'fetch the model',
  weights: 'load weights',
  compile: 'compile',
  profile: 'profile memory',
  cudagraphs: 'capture CUDA graphs',
  api: 'start the API server',
}

/**
 * The phases of a start, in order. Durations other than reading weights are typical of public logs of 8B to 70B models on
 * H100 and A100 (imports 12 s, engine process 10 s, NCCL 5 s, compile 20 s + 0.4 s a layer cold or 6 s warm, graphs 5 ms
 * per layer and size); give `totalLoadUs` where it was measured.
 */
export function startupPlan(subject: StartupSubject, options: StartupOptions = {}): readonly StartupPhase[] {
  const durations = (Object.keys(TITLES) as PhaseName[])
    .map((name) => [name, durationOf(name, subject, options)] as const)
    .filter(([, durationUs]) => durationUs > 0)
  const sum = durations.reduce((total, [, durationUs]) => total + durationUs, 0)
  const scale = options.totalLoadUs === undefined ? 1 : options.totalLoadUs / sum
  let begun = 0
  let scaled = 0
  return durations.map(([name, durationUs]) => {
    // rounded at the borders, so that the phases add up to the whole
    begun += durationUs
    const end = Math.round(begun * scale)
    const phase = { name, title: TITLES[name], durationUs: end - scaled, ...phaseLogs(name, subject, options) }
    scaled = end
    return phase
  })
}

function durationOf(name: PhaseName, subject: StartupSubject, options: StartupOptions): Us {
  const { model, gpu, settings, memory } = subject
  const parallel = settings.tensorParallelSize.value * settings.pipelineParallelSize.value > 1
  const dummy = settings.loadFormat.value === 'dummy'
  const eager = settings.enforceEager.value
  const limits = memory?.limits ?? { maxModelLen: 1, maxNumSeqs: 256, maxNumBatchedTokens: 8192 }
  const graphs = cudagraphSizes(limits, settings, gpu).length
  switch (name) {
    case 'imports':
      return seconds(12)
    case 'engine':
      return seconds(10)
    case 'distributed':
      return seconds(parallel ? 5 : 1)
    case 'fetch':
      return options.fetchBandwidthBytesPerSecond && !dummy
        ? seconds(model.weightsBytes / options.fetchBandwidthBytesPerSecond)
        : 0
    case 'weights':
      return dummy
        ? seconds(2)
        : seconds(1 + model.weightsBytes / (options.loadBandwidthBytesPerSecond ?? DEFAULT_LOAD_BANDWIDTH))
    case 'compile':
      return eager ? 0 : seconds(options.compileCache === 'warm' ? 6 : 20 + 0.4 * model.layers)
    case 'profile':
      return seconds(2)
    case 'cudagraphs':
      return seconds(graphs * model.layers * 0.005)
    case 'api':
      return seconds(2)
  }
}
