import { defaultProfile, type LagProfile } from '../sandbox/kube/lag.ts'
import type * as o from '../sandbox/kube/objects.ts'
import type { NodeGroup } from '../sandbox/tiers/tier.ts'
import type { ResolvedServer } from '../sandbox/vllm/server/resolve.ts'
import { minutes, seconds, type Us } from '../sandbox/world/time.ts'
import { surveyAlerts } from './alerts/survey.ts'
import { assumedObjects } from './assumed-objects.ts'
import { clusterSetup } from './cluster-setup.ts'
import { type FoundServer, findServers, groupFor, inputsOf, programsFor, resolveOn } from './inference-servers.ts'
import { initTimes } from './init-times.ts'
import type { Overrides } from './judgeable.ts'
import type { Capacities } from './load/capacity.ts'
import { totalRate, type Workload } from './load/workload.ts'
import { withFiles } from './platform/add.ts'
import { pricesOf } from './platform/inputs/price-inputs.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import type { ServerInputs } from './platform/inputs/server-inputs.ts'
import { slosOf } from './platform/inputs/slo-inputs.ts'
import { applyPatch } from './platform/patch.ts'
import type { Platform } from './platform/platform.ts'
import { monitoringOf } from './platform/roles/autoscaling/monitoring.ts'
import { scalingOf } from './platform/roles/autoscaling/scaling.ts'
import { type EntryPath, entryPathOf } from './platform/roles/entry-path.ts'
import { selectsPods, subjectOf } from './platform/roles/inference-servers.ts'
import { podTemplatesOf } from './platform/roles/pod-templates.ts'
import type { Setup } from './setup.ts'
import type { Subject } from './subject.ts'

/** One inference server among its platform, with all that is known. */
export interface PrepareContext {
  readonly lag?: LagProfile
  readonly platform: Platform
  readonly server: FoundServer
  readonly inputs: ResolvedInputs
  readonly capacities: Capacities
}

/** Everything as plain values: the inputs as they are, but for what the overrides say. */
export function prepare(context: PrepareContext, overrides: Overrides): Setup {
  const { adds = [] } = overrides
  if (adds.length === 0) return prepared(context, overrides)
  const setup = prepared({ ...context, ...withChanges(context, { adds }) }, overrides)
  return { ...setup, inputs: { ...(setup.inputs as object), adds } }
}

function prepared(context: PrepareContext, overrides: Overrides): Setup {
  const { inputs, lag = defaultProfile } = context
  const platform = changed(context, overrides)
  const { alerts, alerting } = surveyAlerts(platform)
  const found = findServers(platform)
  const server = found.find((one) => one.id === context.server.id)!
  const own = inputs.servers[server.id]!
  const nodes = withMore(overrides.nodes ?? inputs.nodes.value, server, overrides.moreNodes ?? 0)
  const resolved = resolvedIn({ ...context, server }, platform, nodes)
  const loadTimeUs = overrides.loadTimeUs ?? own.loadTimeUs.value
  const idleCpuCores = overrides.idleCpuCores ?? own.idleCpuCores.value
  const inits = initTimes(inputs, overrides)
  const initUs = inits.all(server)
  const workload = workloadOf(own, overrides, resolved)
  const slos = slosOf(promisedIn(own, overrides))
  const entry = entryOf(platform, server, resolved).point
  const cluster = clusterSetup(platform, nodes, { inputs, overrides })
  const image = server.container.image ?? ''
  const imageBytes = imageSizes(inputs, image, overrides)
  const registryBytesPerSecond = overrides.registryBytesPerSecond ?? inputs.registryBytesPerSecond.value
  const capacity = resolved.kind === 'runs' ? context.capacities.of(resolved, workload) : 0
  return {
    objects: [
      ...assumedObjects(platform),
      ...platform.objects.map(({ manifest }) => manifest),
    ] as unknown as o.Draft<o.KubeObject>[],
    subject: subjectIn(server, resolved),
    ...(entry ? { entry } : {}),
    nodes,
    pool: groupFor(server.template.spec, nodes)?.name,
    programFor: programsFor({
      servers: found,
      nodes,
      platform,
      loadTimeUs: (id) => (id === server.id ? loadTimeUs : inputs.servers[id]!.loadTimeUs.value),
      idleCpuCores: (id) => (id === server.id ? idleCpuCores : inputs.servers[id]!.idleCpuCores.value),
      initTimeUs: inits.of,
    }),
    imageBytes,
    registryBytesPerSecond,
    workload,
    capacityOf: (asked) => (resolved.kind === 'runs' ? context.capacities.of(resolved, asked) : 0),
    kvCache: kvCacheOf(resolved),
    kvBlockTokens: resolved.kind === 'runs' ? resolved.memory.blockSize : 16,
    slos,
    prices: pricesOf(inputs.prices),
    model: 'settings' in resolved ? resolved.settings.servedModelNames.value[0]! : '',
    replicasNeeded: sharesService(server, platform) ? 0 : capacity > 0 ? atLeastOne(totalRate(workload) / capacity) : 1,
    startUs: initUs + loadTimeUs + seconds(imageBytes(image) / registryBytesPerSecond),
    settleBound: settlesIn(inputs, {
      initUs: Math.max(...found.map(inits.all)) + cluster.joinUs,
      pullUs: seconds(imageBytes(image) / registryBytesPerSecond),
      loadUs: loadTimeUs,
    }),
    lag,
    monitoring: { ...monitoringOf(platform), ...(alerting.length > 0 ? { alerting } : {}) },
    alerts,
    ...cluster.parts,
    maxReplicas: scalingOf(platform, server)?.maxReplicas,
    inputs: {
      nodes,
      loadTimeUs,
      ...(initUs > 0 ? { initUs } : {}),
      registryBytesPerSecond,
      workload: withoutFile(workload),
      slos,
      lag: lag.name,
      ...cluster.told,
      changes: overrides.changes ?? [],
    },
  }
}

/** The server among a platform with changed fields and more objects, and what is known of both. Throws PlatformErrors. */
export function withChanges(
  context: PrepareContext,
  { changes = [], adds = [] }: Pick<Overrides, 'changes' | 'adds'>,
): Pick<PrepareContext, 'platform' | 'server' | 'inputs'> {
  const platform = withFiles(changed(context, { changes }), adds)
  const servers = findServers(platform)
  return {
    platform,
    server: servers.find(({ id }) => id === context.server.id)!,
    inputs: inputsOf(platform, servers),
  }
}

/** Bytes of an image; those of the server's own are what the overrides say. */
const imageSizes =
  (inputs: ResolvedInputs, own: string, { imageBytes }: Overrides) =>
  (name: string): number =>
    (name.startsWith(own) ? imageBytes : undefined) ??
    inputs.imageBytes[name.replace(/@sha256:.*$/, '')]?.value ??
    inputs.imageBytes[name]?.value ??
    0

const atLeastOne = (replicas: number): number => Math.max(1, Math.ceil(replicas))

/** Time for everything to be started, twice, and for models to load, three times. */
const settlesIn =
  (inputs: ResolvedInputs, { initUs, pullUs, loadUs }: Readonly<Record<'initUs' | 'pullUs' | 'loadUs', Us>>) =>
  (stretch: number): Us =>
    minutes(10) + 2 * (initUs + pullUs) + 3 * stretch * slowestLoad(inputs, loadUs)

/** What clients send, but for what the overrides say. */
const workloadOf = (own: ServerInputs, overrides: Overrides, resolved: ResolvedServer): Workload => ({
  ...own.details?.value,
  arrival: own.arrival.value,
  requestsPerSecond: overrides.requestsPerSecond ?? own.requestsPerSecond.value,
  promptTokens: overrides.promptTokens ?? own.promptTokens.value,
  outputTokens: overrides.outputTokens ?? own.outputTokens.value,
  timeoutUs: own.timeoutUs.value,
  ...(resolved.kind === 'runs' && own.promptTokens.origin === 'assumed'
    ? { contextTokens: resolved.memory.limits.maxModelLen }
    : {}),
})

/** The objectives, but for what the overrides say. */
function promisedIn(own: ServerInputs, { availability, ttftP95Us, tpotP95Us }: Overrides): ServerInputs {
  return {
    ...own,
    ...(availability === undefined ? {} : { availability: { ...own.availability, value: availability } }),
    ...(ttftP95Us === undefined ? {} : { ttftP95Us: { ...own.ttftP95Us, value: ttftP95Us } }),
    ...(tpotP95Us === undefined ? {} : { tpotP95Us: { ...own.tpotP95Us, value: tpotP95Us } }),
  }
}

function kvCacheOf(resolved: ResolvedServer): Setup['kvCache'] {
  if (resolved.kind !== 'runs') return undefined
  const { kvCacheTokens, limits } = resolved.memory
  return { tokens: kvCacheTokens, maxRequests: limits.maxNumSeqs, maxTokens: limits.maxModelLen }
}

/** How clients come to a server, as its platform declares it. */
export function entryOf(platform: Platform, server: FoundServer, resolved: ResolvedServer): EntryPath {
  const model = 'settings' in resolved ? resolved.settings.servedModelNames.value[0]! : ''
  const { service } = subjectIn(server, resolved)
  return entryPathOf(platform, server, { model, service })
}

/** Where a trace lies on this machine is no part of what a trial was made from; its digest is. */
const withoutFile = ({ trace, ...rest }: Workload): unknown => {
  if (!trace) return rest
  const { file: _, ...told } = trace
  return { ...rest, trace: told }
}

/** Whether pods of another workload answer behind the same Service: then the load says nothing about this one alone. */
const sharesService = (server: FoundServer, platform: Platform): boolean =>
  platform.objects.some(
    (object) =>
      object !== server.object &&
      podTemplatesOf(object).some((template) =>
        server.services.some((service) => selectsPods(service, 'spec.selector', template)),
      ),
  )

const slowestLoad = (inputs: ResolvedInputs, own: number): number =>
  Math.max(own, ...Object.values(inputs.servers).map((server) => server.loadTimeUs.value))

function changed({ platform, server }: PrepareContext, { changes = [] }: Overrides): Platform {
  if (changes.length === 0) return platform
  return applyPatch(
    platform,
    changes.map(({ object = server.id, path, value }) => ({ object, path, value })),
  ).platform
}

/** `more` nodes like those the server's pods go to; a label that is one node's own name is not theirs. */
function withMore(nodes: readonly NodeGroup[], server: FoundServer, more: number): readonly NodeGroup[] {
  const group = groupFor(server.template.spec, nodes)
  if (more === 0 || !group) return nodes
  const { [HOSTNAME]: named, ...labels } = group.labels ?? {}
  return named === undefined
    ? nodes.map((one) => (one === group ? { ...one, count: one.count + more } : one))
    : [...nodes, { ...group, name: `${group.name}-more`, count: more, labels }]
}

const HOSTNAME = 'kubernetes.io/hostname'

/** The server on the GPUs of the nodes it would go to. */
export function resolvedIn(
  { server }: Pick<PrepareContext, 'server'>,
  platform: Platform,
  nodes: readonly NodeGroup[],
): ResolvedServer {
  const gpu = groupFor(server.template.spec, nodes)?.gpu ?? nodes.find((group) => group.gpu)?.gpu
  return resolveOn(server, gpu?.product, platform)
}

/** The server as trials judge it. */
export function subjectIn(server: FoundServer, resolved: ResolvedServer): Subject {
  const settings = 'settings' in resolved ? resolved.settings : undefined
  const worldSize =
    settings &&
    settings.tensorParallelSize.value * settings.pipelineParallelSize.value * settings.dataParallelSize.value
  const port = settings?.port.value ?? 8000
  return {
    ...subjectOf(server, { port, worldSize }),
    healthProbe: {
      httpGet: { path: '/health', port, ...(settings?.tls.value ? { scheme: 'HTTPS' as const } : {}) },
      periodSeconds: 5,
    },
  }
}
