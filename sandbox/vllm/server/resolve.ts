import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import { gpuByProduct } from '../../../fixtures/gpus/lookup.ts'
import { modelById } from '../../../fixtures/models/lookup.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { compareVersions } from '../../../fixtures/vllm/index.ts'
import type { Container, PodSpec } from '../../kube/objects.ts'
import { recogniseVllm, type UnmodelledCode, type VllmCommand } from '../flags/command.ts'
import type { ConfigMapLookup } from '../flags/kubelet-expansion.ts'
import { type CommandLine, parseCommandLine } from '../flags/parse.ts'
import { type ServerSettings, type SettingOrigin, settingsOf } from '../flags/settings.ts'
import { nextTableKnows, type VllmVersion, versionOf, withVersion } from '../flags/version.ts'
import { type MemoryPlan, planMemory } from '../memory/memory.ts'
import type { Refusal } from '../memory/refusal.ts'

export interface ResolveOptions {
  /** The version of vLLM the image holds, where that is known better than by its tag. */
  readonly vllmVersion?: string
  /** The node's `nvidia.com/gpu.product` label. */
  readonly gpuProduct?: string
  /** GPUs the container gets. */
  readonly gpuCount: number
  /** Models the user describes, by the name the server is started with, or a name it serves. */
  readonly modelOverrides?: Readonly<Record<string, ModelSpec>>
  /** The model this server has, whatever it calls it. */
  readonly modelSaid?: ModelSpec
  /** What else tells of the model that lies where the server is to read it. */
  readonly modelAt?: (path: string) => { readonly model: ModelSpec; readonly because: string } | undefined
  /** The model is in the hub's cache before the container starts. */
  readonly prefetched?: boolean
  /** ConfigMaps of the pod's namespace, for variables that take their value from one. */
  readonly configMaps?: ConfigMapLookup
}

/** One value with where it comes from, for the harness to show. */
export interface ExplainedValue {
  readonly name: string
  readonly value: unknown
  readonly origin: SettingOrigin | 'estimate'
  readonly by: string
}

/** All that was found of a server, as far as one got. */
interface Found {
  readonly command: VllmCommand
  readonly version: VllmVersion
  readonly values: readonly ExplainedValue[]
  /** What was taken on trust, one line each. */
  readonly assumptions: readonly string[]
}

/** A server that starts. */
export interface RunnableServer extends Found {
  readonly kind: 'runs'
  readonly settings: ServerSettings
  readonly model: ModelSpec
  readonly gpu: GpuSpec
  readonly memory: MemoryPlan
  readonly weightsFrom: WeightsFrom
}

/** A server whose arguments argparse or the parser refuses. */
export interface BadArguments extends Found {
  readonly kind: 'bad-arguments'
  readonly refusal: Extract<CommandLine, { ok: false }>
  /** False when a neighbouring version knows the flag and none of exactly this version was read. */
  readonly certain: boolean
}

/** A server that ends with an exception before it is ready. */
export interface RefusedServer extends Found {
  readonly kind: 'refused'
  readonly settings: ServerSettings
  readonly model: ModelSpec
  readonly gpu: GpuSpec
  readonly refusal: Refusal
  readonly weightsFrom: WeightsFrom
}

export type WeightsFrom = 'hub' | 'volume' | 'path'

export type ResolvedServer =
  | { readonly kind: 'other' }
  | {
      readonly kind: 'unmodelled'
      readonly code: UnmodelledCode | 'multi-node' | 'config-file' | 'unknown-value' | 'pooling'
      readonly reason: string
    }
  | ({ readonly kind: 'unknown-model'; readonly name: string; readonly settings: ServerSettings } & Found)
  | ({
      readonly kind: 'unknown-gpu'
      readonly product: string | undefined
      readonly settings: ServerSettings
      readonly model: ModelSpec
    } & Found)
  | BadArguments
  | RefusedServer
  | RunnableServer

/** Everything between a container in a manifest and a server the sandbox can run. */
export function resolveServer(
  container: Pick<Container, 'image' | 'command' | 'args' | 'env' | 'envFrom' | 'volumeMounts'>,
  podSpec: Pick<PodSpec, 'volumes'>,
  options: ResolveOptions,
): ResolvedServer {
  const command = recogniseVllm(container, options.configMaps)
  if (command.kind !== 'vllm') return command
  const version = versionOf(withVersion(command.image, options.vllmVersion))
  const assumptions = version.assumed ? [version.note] : []
  const parsed = parseCommandLine(command.args, command.form, version)
  if (!parsed.ok) {
    if (command.unknowns.length > 0) return unknownValue(command)
    const certain =
      version.basis === 'exact' ||
      (version.basis === 'nearest' && !(parsed.flag && nextTableKnows(version, parsed.flag)))
    return { kind: 'bad-arguments', command, version, values: [], assumptions, refusal: parsed, certain }
  }
  const settings = settingsOf(parsed, version, command.environment)
  const unmodelled = whyUnmodelled(parsed, settings, options.gpuCount)
  if (unmodelled) return unmodelled
  if (parsed.model.includes('$'))
    return command.unknowns.length > 0
      ? unknownValue(command)
      : {
          kind: 'bad-arguments',
          command,
          version,
          values: [],
          assumptions,
          refusal: noRepository(parsed.model),
          certain: true,
        }
  if (compareVersions(version.version, '0.8.0') < 0)
    assumptions.push(
      `vLLM ${version.version} has the V0 engine; its memory and scheduling are simulated as those of V1`,
    )
  if (parsed.ignored !== undefined) assumptions.push(whatIsIgnored(parsed, parsed.ignored))
  const noted = [...assumptions, ...command.unknowns.map((what) => `${what} is not in the manifest`)]
  noted.push(...settings.leftOut.map((flag) => `${flag} is left out of the memory and speed of the server`))
  const found = { command, version, assumptions: noted, settings, values: explain(settings) }
  const told = [parsed.model, ...settings.servedModelNames.value].flatMap(
    (name) => options.modelOverrides?.[name] ?? options.modelSaid ?? [],
  )[0]
  const placed = told ? undefined : options.modelAt?.(parsed.model)
  if (placed) noted.push(placed.because)
  const model = told ?? placed?.model ?? modelById(parsed.model)
  if (!model) return { kind: 'unknown-model', name: parsed.model, ...found }
  const gpu = options.gpuProduct === undefined ? undefined : gpuByProduct(options.gpuProduct)
  if (!gpu) return { kind: 'unknown-gpu', product: options.gpuProduct, model, ...found }
  const memory = planMemory({ model, gpu, gpuCount: options.gpuCount, settings, version: version.version })
  const weightsFrom = options.prefetched ? 'volume' : weightsSource(parsed.model, command, container, podSpec)
  if (!memory.ok) return { kind: 'refused', ...found, model, gpu, refusal: memory, weightsFrom }
  const values = [...found.values.filter(({ name }) => !(name in memory.limits)), ...derived(settings, memory)]
  return { kind: 'runs', ...found, values, model, gpu, memory, weightsFrom }
}

function whatIsIgnored(parsed: Parsed, word: string): string {
  const how = `python -m vllm.entrypoints.openai.api_server ignores the argument "${word}"`
  if (/^-.*\s/.test(word)) return `${how}: a flag and its value in one string are not read as a flag; make them two`
  const served = parsed.modelOrigin === 'default' ? "vLLM's default model " : ''
  return `${how} and serves ${served}${parsed.model}: name the model by --model`
}

/** A name with a variable in it that nobody expands. Follows vllm/transformers_utils/config.py get_config. */
function noRepository(model: string): BadArguments['refusal'] {
  const message = `Invalid repository ID or local directory specified: '${model}'.`
  const stderr = ['Traceback (most recent call last):', `ValueError: ${message}`]
  return { ok: false, code: 'exception', stderr, exitCode: 1, message, flag: '--model' }
}

const unknownValue = (command: VllmCommand): ResolvedServer => ({
  kind: 'unmodelled',
  code: 'unknown-value',
  reason: `its arguments need ${command.unknowns[0] ?? 'a value'}, which the manifest does not tell`,
})

type Parsed = Extract<CommandLine, { ok: true }>

function whyUnmodelled(parsed: Parsed, settings: ServerSettings, gpuCount: number): ResolvedServer | undefined {
  const { given } = parsed
  if (given.get('config'))
    return {
      kind: 'unmodelled',
      code: 'config-file',
      reason: `--config ${String(given.get('config'))}: flags in a file are not read`,
    }
  const pooling = ['embed', 'embedding', 'classify', 'score', 'reward', 'pooling', 'transcription']
  if (pooling.includes(String(given.get('task') ?? given.get('runner'))))
    return { kind: 'unmodelled', code: 'pooling', reason: 'only models that generate text are modelled' }
  const world = settings.tensorParallelSize.value * settings.pipelineParallelSize.value
  const local = settings.dataParallelSizeLocal.value
  const spread =
    settings.nnodes.value > 1 ||
    given.has('headless') ||
    (local !== undefined && local < settings.dataParallelSize.value) ||
    ['data_parallel_rank', 'data_parallel_external_lb', 'data_parallel_hybrid_lb', 'data_parallel_start_rank'].some(
      (d) => given.get(d),
    ) ||
    (settings.distributedExecutorBackend.value === 'ray' && world > gpuCount)
  return spread
    ? { kind: 'unmodelled', code: 'multi-node', reason: 'an engine spread over several pods is not modelled' }
    : undefined
}

/** Where the weights lie when the container starts. */
function weightsSource(
  model: string,
  { environment }: VllmCommand,
  container: Pick<Container, 'volumeMounts'>,
  podSpec: Pick<PodSpec, 'volumes'>,
): WeightsFrom {
  if (/^[./]/.test(model)) return 'path'
  const lasting = new Set((podSpec.volumes ?? []).filter((v) => !('emptyDir' in v)).map((v) => v.name))
  const cache = environment.HF_HUB_CACHE ?? environment.HUGGINGFACE_HUB_CACHE ?? environment.HF_HOME
  const home = cache ?? '/root/.cache/huggingface'
  const mounted = (container.volumeMounts ?? []).some(
    (m) => lasting.has(m.name) && `${home}/`.startsWith(`${m.mountPath.replace(/\/$/, '')}/`),
  )
  return mounted ? 'volume' : 'hub'
}

function explain(settings: ServerSettings): ExplainedValue[] {
  return Object.entries(settings).flatMap(([name, setting]) =>
    setting !== null && typeof setting === 'object' && 'origin' in setting ? [{ name, ...setting }] : [],
  )
}

/** What vLLM worked out itself. */
function derived(settings: ServerSettings, memory: MemoryPlan): ExplainedValue[] {
  const { limits } = memory
  const from = (
    name: 'maxModelLen' | 'maxNumSeqs' | 'maxNumBatchedTokens',
    else_: ExplainedValue['origin'],
    by: string,
  ) => {
    const given = settings[name].origin === 'flag' && settings[name].value === limits[name]
    return { name, value: limits[name], origin: given ? ('flag' as const) : else_, by: given ? settings[name].by : by }
  }
  return [
    from('maxModelLen', settings.maxModelLen.value === -1 ? 'estimate' : 'model', "the model's config.json"),
    from('maxNumSeqs', 'derived', "vLLM's default for this GPU"),
    from('maxNumBatchedTokens', 'derived', "vLLM's default for this GPU"),
    {
      name: 'numGpuBlocks',
      value: memory.numGpuBlocks,
      origin: 'estimate',
      by: 'memory left after weights and activations',
    },
    {
      name: 'kvCacheTokens',
      value: memory.kvCacheTokens,
      origin: 'estimate',
      by: 'memory left after weights and activations',
    },
    { name: 'weightsBytesPerGpu', value: memory.weightsBytesPerGpu, origin: 'model', by: "the model's shape" },
  ]
}
