import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import type { Us } from '../../../sandbox/world/time.ts'
import type { NodeGroupConfig } from '../config/config.ts'
import { configSource } from '../config/config.ts'
import { nodeGroupName } from '../config/node-group-name.ts'
import { isMeasured } from '../config/snapshot.ts'
import { PlatformError, PlatformErrors } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { gpuNamed } from '../roles/gpu-named.ts'
import type { InferenceServerRole } from '../roles/inference-servers.ts'
import { suggest } from '../suggest.ts'
import { guessCluster } from './cluster.ts'
import { imageInputs } from './image-inputs.ts'
import { initContainerNames, initInputs } from './init-inputs.ts'
import { assumed, declaredInput, givenInput, type Input } from './input.ts'
import { unknownSameAs } from './known-models.ts'
import { poolGroups, SYSTEM_NOTE } from './pool-groups.ts'
import { priceInputs } from './price-inputs.ts'
import { type ProvisioningInputs, provisioningInputs } from './provisioning-inputs.ts'
import { type ServerInputs, serverInputs } from './server-inputs.ts'

/** What is known of a server's model without running it. */
export interface ModelFacts {
  /** The model it loads, as vLLM is told: a hub name or a path. */
  readonly model?: string
  /** Names clients may send. */
  readonly servedNames?: readonly string[]
  /** Bytes of weights one replica loads. */
  readonly weightsBytes?: number
  /** CPU its processes are taken to use while no request is there. */
  readonly idleCpuCores?: number
}

/** How long loading takes, from the start of the container's process to the first answer. */
export interface LoadEstimate {
  readonly us: Us
  readonly rangeUs: readonly [Us, Us]
  /** What it is made of, in one line: `70 GB at 1.5 GB/s + compile 60 s`. */
  readonly note: string
}

export interface ResolveOptions<R> {
  readonly gpus: readonly GpuSpec[]
  readonly factsOf: (server: InferenceServerRole<R>) => ModelFacts
  /** `given`: what `seatrial.yaml` says of the model. */
  readonly estimateLoad: (
    server: InferenceServerRole<R>,
    given: { bytesPerSecond?: number; model?: ModelSpec },
  ) => LoadEstimate
}

/** Every input of the trials of one platform. */
export interface ResolvedInputs {
  readonly nodes: Input<readonly NodeGroup[]>
  readonly registryBytesPerSecond: Input<number>
  /** Bytes pulled, by image as the manifests name it. */
  readonly imageBytes: Readonly<Record<string, Input<number>>>
  /** How long init containers of servers run, by `initKey`; absent where nobody can say. */
  readonly initTimesUs: Readonly<Record<string, Input<Us>>>
  /** Dollars an hour of a GPU, by product; absent where nobody knows. */
  readonly prices: Readonly<Record<string, Input<number>>>
  /** Where something buys nodes while the platform runs. */
  readonly provisioning?: ProvisioningInputs
  /** By the id of the server. */
  readonly servers: Readonly<Record<string, ServerInputs>>
}

/**
 * Gives every input a value and says how it is known. Throws `PlatformErrors` when `seatrial.yaml` speaks of a server, model, image or GPU that
 * is not there.
 */
export function resolveInputs<R>(
  platform: Platform,
  servers: readonly InferenceServerRole<R>[],
  options: ResolveOptions<R>,
): ResolvedInputs {
  const { config } = platform
  const named = servers.map((server) => ({ server, names: namesOf(server, options.factsOf(server)) }))
  const images = imageInputs(platform, named)
  const errors = [
    ...unmatched(
      platform,
      'workloads',
      named.flatMap((n) => n.names),
      'inference server',
    ),
    ...unmatched(
      platform,
      'models',
      named.flatMap((n) => n.names),
      'model or inference server',
    ),
    ...unmatched(platform, 'images', Object.keys(images), 'image in the manifests'),
    ...unmatched(platform, 'containers', initContainerNames(platform), 'init container in the manifests'),
    ...unknownSameAs(platform.config),
    ...unknownGpus(platform, options.gpus),
    ...unmatched(
      platform,
      'prices',
      options.gpus.flatMap(({ id, product }) => [id, product]),
      'GPU',
    ),
  ]
  if (errors.length > 0) throw new PlatformErrors(errors)
  const bandwidth = config?.registry?.bandwidth
  const nodes = nodesInput(platform, servers, options)
  const buys = nodes.value.some(({ max, nodePool }) => max !== undefined || nodePool !== undefined)
  return {
    nodes,
    ...(buys ? { provisioning: provisioningInputs(config) } : {}),
    prices: priceInputs(config, nodes.value, options.gpus),
    registryBytesPerSecond:
      config && bandwidth
        ? declaredInput(config, ['registry', 'bandwidth'], bandwidth)
        : assumed(250e6, [50e6, 1e9], 'registry bandwidth per node: give registry.bandwidth in seatrial.yaml'),
    imageBytes: images,
    initTimesUs: initInputs(
      platform,
      servers.map((server) => ({ server, facts: options.factsOf(server) })),
    ),
    servers: Object.fromEntries(
      named.map(({ server, names }) => [server.id, serverInputs(platform, server, names, options)]),
    ),
  }
}

function nodesInput<R>(
  platform: Platform,
  servers: readonly InferenceServerRole<R>[],
  options: ResolveOptions<R>,
): Input<readonly NodeGroup[]> {
  const { config } = platform
  if (config?.nodes) {
    const given = config.nodes.map((group, i) => nodeGroup(group, i, options.gpus))
    const bought = poolGroups(platform, given)
    return givenInput(config, ['nodes'], bought.length > 0 ? bought : given)
  }
  const bought = poolGroups(platform)
  if (bought.length > 0) return { value: bought, origin: 'assumed', note: SYSTEM_NOTE }
  const weights = new Map(servers.map((server) => [server.object, options.factsOf(server).weightsBytes]))
  const { tight, spare, usual, gpus } = guessCluster(platform, options.gpus, (object) => weights.get(object))
  const which = gpus.length > 0 ? ` (${gpus.join('; ')})` : ''
  return assumed(
    tight,
    [usual, spare],
    `the smallest cluster all workloads fit on${which}: give nodes in seatrial.yaml`,
  )
}

function nodeGroup(group: NodeGroupConfig, index: number, gpus: readonly GpuSpec[]): NodeGroup {
  const gpu = group.gpu && group.gpu.count > 0 ? gpuNamed(group.gpu, gpus) : undefined
  const count = group.gpu?.count ?? 0
  return {
    name: nodeGroupName(group, index),
    count: group.count,
    ...(group.max === undefined ? {} : { min: group.min ?? group.count, max: Math.max(group.max, group.count) }),
    cpu: group.cpu ?? String(Math.max(16, 16 * count)),
    memory: group.memory ?? `${Math.max(64, 128 * count)}Gi`,
    ...(gpu ? { gpu: { product: gpu.product, memoryBytes: gpu.memoryBytes, count } } : {}),
    ...(group.labels ? { labels: group.labels } : {}),
    ...(group.taints ? { taints: group.taints } : {}),
    ...(group.images ? { images: group.images } : {}),
  }
}

function unknownGpus(platform: Platform, gpus: readonly GpuSpec[]): PlatformError[] {
  const { config } = platform
  return (config?.nodes ?? []).flatMap((group, i) => {
    if (!group.gpu || gpuNamed(group.gpu, gpus)) return []
    const field = group.gpu.product === undefined ? 'id' : 'product'
    const given = group.gpu[field] ?? ''
    const near = suggest(
      given,
      gpus.flatMap((gpu) => [gpu.id, gpu.product]),
    )
    return [
      badConfig(
        platform,
        ['nodes', i, 'gpu', field],
        `no GPU is called ${given}`,
        near,
        gpus.map((gpu) => gpu.id),
      ),
    ]
  })
}

/** Settings for something that is not in the manifests: most likely a slip, and without an error a default would be used instead. */
function unmatched(
  platform: Platform,
  section: 'workloads' | 'models' | 'images' | 'containers' | 'prices',
  names: readonly string[],
  what: string,
): PlatformError[] {
  return (
    Object.keys(platform.config?.[section] ?? {})
      // a snapshot is of a whole cluster, and may know more than the manifests
      .filter((key) => !names.includes(key) && !isMeasured(platform.config!, [section, key]))
      .map((key) =>
        badConfig(platform, [section, key], `${section}.${key} matches no ${what}`, suggest(key, names), names),
      )
  )
}

function badConfig(
  platform: Platform,
  path: (string | number)[],
  what: string,
  near: string | undefined,
  known: readonly string[],
): PlatformError {
  const position = configSource(platform.config!, path)
  return new PlatformError('BAD_CONFIG', what, {
    why: 'A setting that matches nothing would be ignored, and a default used in its place.',
    fix: near ? `Did you mean "${near}"?` : `Known here: ${[...new Set(known)].slice(0, 12).join(', ') || 'none'}.`,
    at: position.key ?? position,
  })
}

/** How `seatrial.yaml` may call a server: by object id, name, `namespace/name`, model or served name. */
function namesOf<R>(server: InferenceServerRole<R>, facts: ModelFacts): string[] {
  const { name, namespace } = server.object.manifest.metadata
  return [
    server.id,
    name,
    ...(namespace ? [`${namespace}/${name}`] : []),
    ...(facts.model ? [facts.model] : []),
    ...(facts.servedNames ?? []),
  ]
}
