import { gpus } from '../fixtures/gpus/index.ts'
import type { ModelSpec } from '../fixtures/models/model.ts'
import { plainProgram, programThatEnds } from '../sandbox/nodes/plain-program.ts'
import type { NodeGroup, ProgramFor } from '../sandbox/tiers/tier.ts'
import { defaultIdleCpuCores } from '../sandbox/vllm/server/accounts.ts'
import { vllmProgram } from '../sandbox/vllm/server/program.ts'
import { type ResolvedServer, resolveServer } from '../sandbox/vllm/server/resolve.ts'
import { startupPlan } from '../sandbox/vllm/server/startup.ts'
import type { Us } from '../sandbox/world/time.ts'
import { configMapsIn } from './platform/config-maps.ts'
import { specIn, specNamed } from './platform/inputs/known-models.ts'
import { type ResolvedInputs, resolveInputs } from './platform/inputs/resolve.ts'
import { namespaceOf, type Platform, type PlatformObject } from './platform/platform.ts'
import { fetchedInto, fetchingContainers } from './platform/roles/fetches.ts'
import { gpusOf } from './platform/roles/gpu-requests.ts'
import { findVllmServers, type InferenceServerRole } from './platform/roles/inference-servers.ts'
import { withMountedScript } from './platform/roles/mounted-script.ts'
import type { WrittenPodSpec } from './platform/roles/pod-templates.ts'
import { BUCKET_BYTES_PER_SECOND, bucketUnder } from './platform/roles/sidecars.ts'

/** A vLLM server of a platform, as found in its manifests. */
export type FoundServer = ReturnType<typeof findVllmServers>[number]

/** The vLLM servers of a platform. Clients are taken to come by a Service with an address of its own, where there is one. */
export const findServers = (platform: Platform): FoundServer[] =>
  findVllmServers(platform).map((server) => ({
    ...server,
    services: [...server.services].sort((a, b) => Number(hasNoAddress(a)) - Number(hasNoAddress(b))),
  }))

/** What the trials of a platform's servers need to know. Throws PlatformErrors when `seatrial.yaml` speaks of what is not there. */
export const inputsOf = (platform: Platform, servers: readonly FoundServer[]): ResolvedInputs =>
  resolveInputs(platform, servers, {
    gpus,
    factsOf: (server) => factsOf(platform, server),
    estimateLoad: (server, given) => estimateLoad(server, platform, given),
  })

/** Headless and ExternalName Services: clients find the pods by DNS, past kube-proxy. */
export const hasNoAddress = ({ manifest }: PlatformObject): boolean => {
  const { clusterIP, type } = (manifest['spec'] ?? {}) as { clusterIP?: string; type?: string }
  return clusterIP === 'None' || type === 'ExternalName'
}

/** The server as it comes out on a GPU, with the models and ConfigMaps of its platform. */
export function resolveOn(server: FoundServer, gpuProduct: string | undefined, platform: Platform): ResolvedServer {
  const { template } = server
  const configMaps = configMapsIn(platform, namespaceOf(server.object))
  const container = withMountedScript(server.container, template.spec, configMaps)
  const own = describedFor(platform, server)
  const version = platform.config?.images?.[container.image ?? '']?.vllm
  return resolveServer({ ...container, image: container.image ?? '' }, template.spec as never, {
    gpuCount: gpusOf(template.spec),
    ...(version === undefined ? {} : { vllmVersion: version }),
    modelOverrides: describedModels(platform),
    ...(own ? { modelSaid: own } : {}),
    modelAt: (path) => fetchedModel(platform, server, path),
    prefetched: isPrefetched(platform, server),
    configMaps,
    ...(gpuProduct === undefined ? {} : { gpuProduct }),
  })
}

/** Models that `seatrial.yaml` describes, by the names it uses. */
function describedModels({ config }: Platform): Record<string, ModelSpec> {
  const described = Object.keys(config?.models ?? {}).flatMap((name) => {
    const spec = specIn(config, name)
    return spec ? [[name, spec] as const] : []
  })
  return Object.fromEntries(described)
}

/** What it says of the workload's model, by the name of the workload. */
function describedFor({ config }: Platform, { id, object }: FoundServer): ModelSpec | undefined {
  const { name } = object.manifest.metadata
  return [id, name, `${namespaceOf(object)}/${name}`].flatMap((one) => specIn(config, one) ?? [])[0]
}

/** The model an init container puts where the server reads it. */
function fetchedModel(platform: Platform, server: FoundServer, path: string) {
  const fetched = /^[./]/.test(path) ? fetchedInto(platform, server, path) : undefined
  const model = fetched && specNamed(platform.config, fetched.model)
  if (!model) return undefined
  const because = `the model at ${path} is ${fetched.model}, which init container ${fetched.container} fetches into it`
  return { model, because }
}

/** Whether an init container fills the hub's cache that the server's container looks into: both have the same volume. */
const isPrefetched = (platform: Platform, server: FoundServer): boolean =>
  fetchingContainers(platform, server).some(
    ({ container, downloads }) =>
      downloads.some(({ from, into }) => from === 'hub' && into === undefined) &&
      (container.volumeMounts ?? []).some(({ name }) =>
        (server.container.volumeMounts ?? []).some((mount) => mount.name === name),
      ),
  )

/** The first group of nodes a pod may go to by GPUs and node selector. */
export const groupFor = (spec: WrittenPodSpec, nodes: readonly NodeGroup[]): NodeGroup | undefined =>
  nodes.find(
    (group) =>
      (group.gpu?.count ?? 0) >= gpusOf(spec) &&
      Object.entries(spec.nodeSelector ?? {}).every(
        ([key, value]) =>
          group.labels?.[key] === value || (key === 'nvidia.com/gpu.product' && group.gpu?.product === value),
      ),
  )

/** Containers that run vLLM get the server of their flags and of their node's GPU; all others a plain program. */
export function programsFor(options: {
  servers: readonly FoundServer[]
  nodes: readonly NodeGroup[]
  platform: Platform
  /** From process start to the first answer, by the id of the server. */
  loadTimeUs: (serverId: string) => Us
  /** CPU cores while idle, by the id of the server. */
  idleCpuCores: (serverId: string) => number
  /** How long an init container of a server runs; undefined: as its command says, or a moment. */
  initTimeUs?: (serverId: string, container: string) => Us | undefined
}): ProgramFor {
  const { servers, nodes, platform, loadTimeUs, idleCpuCores, initTimeUs } = options
  const made = new Map<string, ReturnType<ProgramFor>>()
  const plain = plainProgram()
  return (pod, container, on) => {
    const owner = servers.find((one) => isFrom(one, pod.metadata))
    const runsFor = owner && initTimeUs?.(owner.id, container.name)
    if (runsFor !== undefined) return programThatEnds(runsFor)
    const server = servers.find((one) => isFrom(one, pod.metadata) && one.container.name === container.name)
    if (!server) return plain
    const product = on?.gpuProduct ?? nodes.find((one) => isNodeOf(one, pod.spec.nodeName ?? ''))?.gpu?.product
    const key = `${server.id} on ${product}`
    let program = made.get(key)
    if (!program) {
      const resolved = resolveOn(server, product, platform)
      program =
        resolved.kind === 'runs' || resolved.kind === 'refused' || resolved.kind === 'bad-arguments'
          ? vllmProgram(resolved, { totalLoadUs: loadTimeUs(server.id), idleCpuCores: idleCpuCores(server.id) })
          : plain
      made.set(key, program)
    }
    return program
  }
}

/** Node names are the group's and a number. */
const isNodeOf = (group: NodeGroup, name: string): boolean =>
  /^\d+$/.test(name.slice(group.name.length + 1)) && name.startsWith(`${group.name}-`)

const isFrom = (
  server: InferenceServerRole<unknown>,
  meta: { namespace?: string; labels?: Record<string, string> },
): boolean =>
  (server.object.manifest.metadata.namespace ?? 'default') === meta.namespace &&
  Object.entries(server.template.labels).every(([key, value]) => meta.labels?.[key] === value)

function factsOf(platform: Platform, server: FoundServer) {
  const resolved = resolveOn(server, undefined, platform)
  if (resolved.kind === 'bad-arguments') {
    const model = modelAmong(resolved.command.args, resolved.command.form)
    return model === undefined ? {} : { model }
  }
  if (!('settings' in resolved)) {
    const { command = [], args = [] } = server.container
    const words = [...command, ...args].flatMap((word) => word.trim().split(/\s+/))
    const model = modelAmong(words.slice(words.indexOf('serve') + 1), words.includes('serve') ? 'serve' : 'module')
    return model === undefined ? {} : { model }
  }
  return {
    model: resolved.settings.model.value,
    servedNames: resolved.settings.servedModelNames.value,
    idleCpuCores: defaultIdleCpuCores(resolved),
    ...('model' in resolved ? { weightsBytes: resolved.model.weightsBytes } : {}),
  }
}

/** Where flags cannot be read: the weights, and a minute for everything else. */
function estimateByWeights(name: string | undefined, platform: Platform): typeof UNKNOWN_LOAD {
  const model = name === undefined ? undefined : specNamed(platform.config, name)
  if (!model) return UNKNOWN_LOAD
  const total = (speed: 'slow' | 'likely' | 'fast') =>
    Math.round(60e6 + (model.weightsBytes / READ_BYTES_PER_SECOND[speed]) * 1e6)
  return {
    us: total('likely'),
    rangeUs: [total('fast') / 2, Math.round(1.5 * total('slow'))],
    note: `${(model.weightsBytes / 1e9).toFixed(1)} GB of weights`,
  }
}

/** The model in arguments that cannot be parsed: what `--model` names, or what follows `vllm serve`. */
function modelAmong(args: readonly string[], form: 'serve' | 'module'): string | undefined {
  const index = args.findIndex((arg) => /^--model(=|$)/.test(arg))
  if (index >= 0) return args[index]!.includes('=') ? args[index]!.slice('--model='.length) : args[index + 1]
  return form === 'serve' && args[0] && !args[0].startsWith('-') ? args[0] : undefined
}

/** Bytes a second at which weights are read: a network volume at one end, a local NVMe at the other. */
const READ_BYTES_PER_SECOND = { slow: 0.25e9, likely: 1e9, fast: 4e9 }
/** Bytes a second from a model hub, where no volume keeps what was fetched before. */
const FETCH_BYTES_PER_SECOND = { slow: 0.1e9, likely: 0.3e9, fast: 1e9 }
const UNKNOWN_LOAD: { us: Us; rangeUs: readonly [Us, Us]; note: string } = {
  us: 300e6,
  rangeUs: [60e6, 1800e6],
  note: 'the model is not known',
}

function estimateLoad(
  server: FoundServer,
  platform: Platform,
  given: { bytesPerSecond?: number; model?: ModelSpec },
): { us: Us; rangeUs: readonly [Us, Us]; note: string } {
  const resolved = resolveOn(server, 'NVIDIA-H100-80GB-HBM3', platform)
  if (resolved.kind === 'bad-arguments')
    return estimateByWeights(modelAmong(resolved.command.args, resolved.command.form), platform)
  if (resolved.kind !== 'runs' && resolved.kind !== 'refused') return UNKNOWN_LOAD
  const { model, settings, weightsFrom } = resolved
  const fetched = weightsFrom === 'hub'
  const bucket = bucketUnder(platform, server, settings.model.value)
  const read = bucket ? BUCKET_BYTES_PER_SECOND : READ_BYTES_PER_SECOND
  const total = (speed: 'slow' | 'likely' | 'fast') =>
    startupPlan(
      {
        ...resolved,
        version: resolved.version.version,
        ...(resolved.kind === 'runs' ? { memory: resolved.memory } : {}),
      },
      {
        loadBandwidthBytesPerSecond: given.bytesPerSecond ?? read[speed],
        ...(fetched ? { fetchBandwidthBytesPerSecond: FETCH_BYTES_PER_SECOND[speed] } : {}),
      },
    ).reduce((sum, phase) => sum + phase.durationUs, 0)
  return {
    us: total('likely'),
    rangeUs: [Math.round(0.7 * total('fast')), Math.round(1.5 * total('slow'))],
    note: `${(model.weightsBytes / 1e9).toFixed(1)} GB of weights${fetched ? ' fetched from a hub' : bucket ? ` through ${bucket.name}` : ''}, tensor parallel ${settings.tensorParallelSize.value}, and vLLM's start`,
  }
}
