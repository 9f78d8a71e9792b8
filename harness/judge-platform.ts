import { strategies } from '../sandbox/apiserver/strategies/index.ts'
import { kindOf } from '../sandbox/kube/kinds.ts'
import { defaultProfile, type LagProfile } from '../sandbox/kube/lag.ts'
import type * as o from '../sandbox/kube/objects.ts'
import type { Capabilities } from '../sandbox/tiers/capabilities.ts'
import type { NodeGroup } from '../sandbox/tiers/tier.ts'
import type { ResolvedServer } from '../sandbox/vllm/server/resolve.ts'
import { minutes, seconds } from '../sandbox/world/time.ts'
import { assumedObjects } from './assumed-objects.ts'
import { blockersOf, doubtOf } from './doubts.ts'
import { type FoundServer, findServers, groupFor, inputsOf, programsFor, resolveOn } from './inference-servers.ts'
import type { Judgeable, Overrides } from './judgeable.ts'
import { Capacities } from './load/capacity.ts'
import { totalRate, type Workload } from './load/workload.ts'
import { withParameters } from './parameters.ts'
import { pricesOf } from './platform/inputs/price-inputs.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import { slosOf } from './platform/inputs/slo-inputs.ts'
import { applyPatch } from './platform/patch.ts'
import { type Platform, sourceOf } from './platform/platform.ts'
import { selectsPods, subjectOf } from './platform/roles/inference-servers.ts'
import { podTemplatesOf } from './platform/roles/pod-templates.ts'
import type { Related } from './remedies/remedy.ts'
import type { Server } from './server.ts'
import type { Setup } from './setup.ts'
import type { Subject } from './subject.ts'
import { uncertainInputs } from './uncertain-inputs.ts'

/** A platform's inference servers, each ready to be tried, and the inputs they are tried with. */
export interface JudgedPlatform {
  readonly judgeables: readonly Judgeable[]
  readonly inputs: ResolvedInputs
}

export interface JudgeOptions {
  readonly capabilities: Capabilities
  readonly lag?: LagProfile
}

/** Throws PlatformErrors when `seatrial.yaml` speaks of what is not there. */
export function judgePlatform(platform: Platform, options: JudgeOptions): JudgedPlatform {
  const servers = findServers(platform)
  const inputs = inputsOf(platform, servers)
  const capacities = new Capacities()
  const judgeables = servers.map((server) => judgeable({ platform, server, inputs, capacities, ...options }))
  return { judgeables, inputs }
}

interface Context extends JudgeOptions {
  readonly platform: Platform
  readonly server: FoundServer
  readonly inputs: ResolvedInputs
  readonly capacities: Capacities
}

function judgeable(context: Context): Judgeable {
  const { platform, server, inputs } = context
  const { manifest } = server.object
  const own = inputs.servers[server.id]!
  const resolved = resolvedIn(context, platform, inputs.nodes.value)
  const { loadTimeUs } = own
  return {
    key: `${manifest.metadata.namespace ?? 'default'}/${manifest.metadata.name}`,
    withParameters: (scenario) => withParameters(scenario, platform.config?.scenarios),
    unfitFor(scenario) {
      const kinds = scenario.needs.flatMap((need) => need.kinds ?? [])
      if (kinds.length > 0 && !kinds.includes(manifest.kind))
        return `it is a ${manifest.kind}; this scenario is for ${kinds.join(', ')}`
      return whyAtRest(server)
    },
    blockersFor: (scenario) => blockersOf(context, resolved, scenario),
    doubtOf: (result) => doubtOf(result, resolved),
    taken: takenOnTrust(platform, resolved),
    uncertain: uncertainInputs(inputs, server.id, server.container.image ?? ''),
    prepare: (overrides) => prepare(context, overrides),
    inputTimes: () => ({
      value: `${loadTimeUs.origin} ${Math.round(loadTimeUs.value / 1e6)} s`,
      text: (factor) => `${Math.floor((factor * loadTimeUs.value) / 1e6)} s`,
      overrides: (factor) => ({ loadTimeUs: Math.round(factor * loadTimeUs.value) }),
    }),
    remedyContext: (broken) => ({
      broken,
      subject: subjectIn(server, resolved),
      deployment: defaulted(server),
      related: relatedTo(server),
      server: serverFacts(resolved),
      loadTimeUs: loadTimeUs.value,
    }),
    sourceOf: (path, id) => sourceOf(platform.objects.find((object) => object.id === id) ?? server.object, path),
  }
}

/** What was read into the manifests: the version of an image, objects made elsewhere. */
function takenOnTrust(platform: Platform, resolved: ResolvedServer): string[] {
  const objects = assumedObjects(platform)
    .filter(({ kind }) => kind !== 'PersistentVolume')
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  return [
    ...('assumptions' in resolved ? resolved.assumptions : []),
    ...(objects.length > 0 ? [`taken to exist: ${objects.join(', ')}`] : []),
  ]
}

/** Why nothing of a workload would run, so that there is nothing to judge. */
function whyAtRest({ object }: FoundServer): string | undefined {
  const { replicas, paused } = (object.manifest['spec'] ?? {}) as { replicas?: number; paused?: boolean }
  if (replicas === 0) return 'spec.replicas is 0: nothing runs'
  return paused ? 'spec.paused is true: nothing is rolled out' : undefined
}

/** Everything as plain values: the inputs as they are, but for what the overrides say. */
function prepare(context: Context, overrides: Overrides): Setup {
  const { inputs, lag = defaultProfile } = context
  const platform = changed(context, overrides)
  const found = findServers(platform)
  const server = found.find((one) => one.id === context.server.id)!
  const own = inputs.servers[server.id]!
  const nodes = withMore(overrides.nodes ?? inputs.nodes.value, server, overrides.moreNodes ?? 0)
  const resolved = resolvedIn({ ...context, server }, platform, nodes)
  const loadTimeUs = overrides.loadTimeUs ?? own.loadTimeUs.value
  const workload: Workload = {
    ...own.details?.value,
    arrival: own.arrival.value,
    requestsPerSecond: overrides.requestsPerSecond ?? own.requestsPerSecond.value,
    promptTokens: overrides.promptTokens ?? own.promptTokens.value,
    outputTokens: overrides.outputTokens ?? own.outputTokens.value,
    timeoutUs: own.timeoutUs.value,
  }
  const slos = slosOf({
    ...own,
    ...(overrides.availability === undefined
      ? {}
      : { availability: { ...own.availability, value: overrides.availability } }),
    ...(overrides.ttftP95Us === undefined ? {} : { ttftP95Us: { ...own.ttftP95Us, value: overrides.ttftP95Us } }),
    ...(overrides.tpotP95Us === undefined ? {} : { tpotP95Us: { ...own.tpotP95Us, value: overrides.tpotP95Us } }),
  })
  const image = server.container.image ?? ''
  const imageBytes = (name: string): number =>
    (name.startsWith(image) ? overrides.imageBytes : undefined) ??
    inputs.imageBytes[name.replace(/@sha256:.*$/, '')]?.value ??
    inputs.imageBytes[name]?.value ??
    0
  const registryBytesPerSecond = overrides.registryBytesPerSecond ?? inputs.registryBytesPerSecond.value
  const capacity = resolved.kind === 'runs' ? context.capacities.of(resolved, workload) : 0
  return {
    objects: [
      ...assumedObjects(platform),
      ...platform.objects.map(({ manifest }) => manifest),
    ] as unknown as o.Draft<o.KubeObject>[],
    subject: subjectIn(server, resolved),
    nodes,
    pool: groupFor(server.template.spec, nodes)?.name,
    programFor: programsFor({
      servers: found,
      nodes,
      platform,
      loadTimeUs: (id) => (id === server.id ? loadTimeUs : inputs.servers[id]!.loadTimeUs.value),
    }),
    imageBytes,
    registryBytesPerSecond,
    workload,
    capacityOf: (asked) => (resolved.kind === 'runs' ? context.capacities.of(resolved, asked) : 0),
    kvBlockTokens: resolved.kind === 'runs' ? resolved.memory.blockSize : 16,
    slos,
    prices: pricesOf(inputs.prices),
    model: 'settings' in resolved ? resolved.settings.servedModelNames.value[0]! : '',
    replicasNeeded: sharesService(server, platform)
      ? 0
      : capacity > 0
        ? Math.max(1, Math.ceil(totalRate(workload) / capacity))
        : 1,
    settleBound: (stretch) =>
      minutes(10) +
      2 * seconds(imageBytes(image) / registryBytesPerSecond) +
      3 * stretch * slowestLoad(inputs, loadTimeUs),
    lag,
    inputs: {
      nodes,
      loadTimeUs,
      registryBytesPerSecond,
      workload: withoutFile(workload),
      slos,
      lag: lag.name,
      changes: overrides.changes ?? [],
    },
  }
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

function changed({ platform, server }: Context, { changes = [] }: Overrides): Platform {
  if (changes.length === 0) return platform
  return applyPatch(
    platform,
    changes.map(({ object = server.id, path, value }) => ({ object, path, value })),
  ).platform
}

/** `more` nodes like those the server's pods go to. */
function withMore(nodes: readonly NodeGroup[], server: FoundServer, more: number): readonly NodeGroup[] {
  const group = groupFor(server.template.spec, nodes)
  return more === 0 ? nodes : nodes.map((one) => (one === group ? { ...one, count: one.count + more } : one))
}

function resolvedIn(
  { server }: Pick<Context, 'server'>,
  platform: Platform,
  nodes: readonly NodeGroup[],
): ResolvedServer {
  const gpu = groupFor(server.template.spec, nodes)?.gpu ?? nodes.find((group) => group.gpu)?.gpu
  return resolveOn(server, gpu?.product, platform)
}

function subjectIn(server: FoundServer, resolved: ResolvedServer): Subject {
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

const relatedTo = ({ scalers, disruptionBudgets, services, routes }: FoundServer): Related => ({
  scalers,
  disruptionBudgets,
  services,
  routes,
})

const defaulted = (server: FoundServer): o.Deployment =>
  strategies
    .get(kindOf(server.object.manifest).id)!
    .default(server.object.manifest as unknown as o.Deployment) as o.Deployment

function serverFacts(resolved: ResolvedServer): Server {
  const settings = 'settings' in resolved ? resolved.settings : undefined
  return {
    model: 'model' in resolved ? resolved.model : undefined,
    port: settings?.port.value ?? 8000,
    tls: settings?.tls.value ?? false,
    tensorParallelSize: settings?.tensorParallelSize.value ?? 1,
    pipelineParallelSize: settings?.pipelineParallelSize.value ?? 1,
    dataParallelSize: settings?.dataParallelSize.value ?? 1,
    knownFlags: 'version' in resolved ? Object.keys(resolved.version.table.flags) : [],
    ...('refusal' in resolved ? { refusal: resolved.refusal } : {}),
  }
}
