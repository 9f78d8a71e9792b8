import { strategies } from '../sandbox/apiserver/strategies/index.ts'
import { kindOf } from '../sandbox/kube/kinds.ts'
import type { LagProfile } from '../sandbox/kube/lag.ts'
import type * as o from '../sandbox/kube/objects.ts'
import type { Capabilities } from '../sandbox/tiers/capabilities.ts'
import type { Limits } from '../sandbox/vllm/memory/limits.ts'
import type { ResolvedServer } from '../sandbox/vllm/server/resolve.ts'
import { alertsIn } from './alerts/rules.ts'
import { assumedObjects } from './assumed-objects.ts'
import { besideNotes } from './beside.ts'
import { actingOnTheWay, blockersOf, doubtOf } from './doubts.ts'
import { whyUnfit } from './fitness.ts'
import { type FoundServer, findServers, inputsOf } from './inference-servers.ts'
import type { Judgeable } from './judgeable.ts'
import { Capacities } from './load/capacity.ts'
import { withParameters } from './parameters.ts'
import { placeBeside } from './platform/add.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import { namespaceOf, type Platform, sourceOf } from './platform/platform.ts'
import { describeMonitoring } from './platform/roles/autoscaling/monitoring.ts'
import { queueSignalOf } from './platform/roles/autoscaling/queue-signal.ts'
import { isRule } from './platform/roles/autoscaling/rules.ts'
import { scalingIn, scalingOf } from './platform/roles/autoscaling/scaling.ts'
import { signalFindings } from './platform/roles/autoscaling/signals.ts'
import { bypassText, type EntryPath } from './platform/roles/entry-path.ts'
import { describePools } from './platform/roles/karpenter.ts'
import { networkNotes } from './platform/roles/network-said.ts'
import { nodePoolsOf } from './platform/roles/node-pools.ts'
import { remediationIn } from './platform/roles/remediation.ts'
import { schedulerNames, schedulersOf } from './platform/roles/schedulers.ts'
import { entryOf, type PrepareContext, prepare, resolvedIn, subjectIn, withChanges } from './prepare.ts'
import type { Related } from './remedies/remedy.ts'
import { remembered } from './remembered.ts'
import type { Server } from './server.ts'
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

function judgeable(context: PrepareContext & JudgeOptions): Judgeable {
  const { platform, server, inputs } = context
  const { manifest } = server.object
  const own = inputs.servers[server.id]!
  const resolved = resolvedIn(context, platform, inputs.nodes.value)
  const { loadTimeUs } = own
  const entry = entryOf(platform, server, resolved)
  const acting = actingOnTheWay(platform, server, resolved, entry)
  return {
    key: `${manifest.metadata.namespace ?? 'default'}/${manifest.metadata.name}`,
    withParameters: (scenario) => withParameters(scenario, platform.config?.scenarios),
    unfitFor: (scenario) => whyUnfit(scenario, server, platform),
    blockersFor: (scenario) => blockersOf({ ...context, entry, acting }, resolved, scenario),
    doubtOf: (result) => doubtOf(result, resolved, { platform, image: server.container.image ?? '' }),
    get taken() {
      return [
        ...takenOnTrust(platform, resolved),
        ...entryNotes(entry),
        ...policyNotes(platform, server, resolved, entry),
        ...besideNotes(context, resolved),
      ]
    },
    uncertain: uncertainInputs(inputs, server.id, server.container.image ?? ''),
    prepare: remembered((overrides) => prepare(context, overrides)),
    inputTimes: () => ({
      value: `${loadTimeUs.origin} ${Math.round(loadTimeUs.value / 1e6)} s`,
      text: (factor) => `${Math.floor((factor * loadTimeUs.value) / 1e6)} s`,
      overrides: (factor) => ({ loadTimeUs: Math.round(factor * loadTimeUs.value) }),
    }),
    remedyContext: (broken, { timeline }) => ({
      broken,
      faults: timeline.map((entry) => entry.do.fault),
      setup: () => prepare(context, {}),
      subject: subjectIn(server, resolved),
      deployment: defaulted(server),
      written: manifest,
      related: relatedTo(server, platform),
      scaling: scalingOf(platform, server),
      signalFindings() {
        const scaling = scalingOf(platform, server)
        return scaling ? signalFindings(platform, server, scaling) : []
      },
      queueSignal: queueSignalOf(platform),
      exporters: describeMonitoring(platform).exporters,
      server: serverFacts(resolved),
      schedulers: schedulerNames(schedulersOf(platform)),
      loadTimeUs: loadTimeUs.value,
    }),
    changed: (overrides) => judgeable({ ...context, ...withChanges(context, overrides) }),
    placeBeside: (name) => placeBeside(server.object, name, platform),
    sourceOf: (path, id) => sourceOf(platform.objects.find((object) => object.id === id) ?? server.object, path),
  }
}

const GROWTH = 'a Cluster Autoscaler adds nodes up to their max, with its default flags'

/** What was read into the manifests: the version of an image, objects made elsewhere. */
function takenOnTrust(platform: Platform, resolved: ResolvedServer): string[] {
  const objects = assumedObjects(platform)
    .filter(({ kind }) => kind !== 'PersistentVolume')
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  return [
    ...('assumptions' in resolved ? resolved.assumptions : []),
    ...describeMonitoring(platform).taken,
    ...schedulersOf(platform).taken,
    ...(platform.config?.nodes?.some(({ max }) => max !== undefined) ? [GROWTH] : []),
    ...describePools(platform),
    ...(objects.length > 0 ? [`taken to exist: ${objects.join(', ')}`] : []),
    ...scalersOfNothing(platform),
  ]
}

/** An autoscaler that names no workload of the platform does nothing for any of its servers: most likely a slip in its name. */
function scalersOfNothing({ objects }: Platform): string[] {
  const names = new Set(objects.map((one) => `${namespaceOf(one)}/${one.manifest.kind}/${one.manifest.metadata.name}`))
  return objects.flatMap((object) => {
    const target = (object.manifest['spec'] as { scaleTargetRef?: { kind?: string; name?: string } } | undefined)
      ?.scaleTargetRef
    const { kind = 'Deployment', name } = target ?? {}
    if (!scalingIn(object) || name === undefined || names.has(`${namespaceOf(object)}/${kind}/${name}`)) return []
    const { file, line } = sourceOf(object, 'spec.scaleTargetRef.name')
    return [`${object.id} scales nothing here: no ${kind} is called ${name} (${file}:${line})`]
  })
}

/** What NetworkPolicies are taken to let in, and whom they stop. */
const policyNotes = (
  platform: Platform,
  server: FoundServer,
  resolved: ResolvedServer,
  { point }: EntryPath,
): string[] =>
  'settings' in resolved
    ? networkNotes(platform, server, {
        point,
        port: resolved.settings.port.value,
        signals: scalingOf(platform, server)?.signals,
      })
    : []

/** How clients are taken to come in. Without a Gateway or Ingress of the platform's own nothing is passed by. */
const entryNotes = ({ assumed, bypassed }: EntryPath): string[] => [
  ...assumed,
  ...(bypassed?.declared ? [bypassText(bypassed)] : []),
]

function relatedTo({ object, scalers, disruptionBudgets, services, routes }: FoundServer, platform: Platform): Related {
  const { objects } = platform
  const { policy } = remediationIn(objects.map(({ manifest }) => manifest) as unknown as o.Draft<o.KubeObject>[])
  const map = policy && objects.find(({ manifest }) => (manifest as unknown) === policy.map)
  return {
    scalers,
    disruptionBudgets,
    quotas: objects.filter((one) => one.manifest.kind === 'ResourceQuota' && namespaceOf(one) === namespaceOf(object)),
    services,
    routes,
    nodePools: nodePoolsOf(platform).pools.map((found) => found.object),
    alertRules: objects.filter((object) => isRule(object) && alertsIn(object).length > 0),
    ...(map ? { policy: { id: map.id, manifest: map.manifest, key: policy.key } } : {}),
  }
}

const defaulted = (server: FoundServer): o.Deployment =>
  strategies
    .get(kindOf(server.object.manifest).id)!
    .default(server.object.manifest as unknown as o.Deployment) as o.Deployment

function serverFacts(resolved: ResolvedServer): Server {
  const settings = 'settings' in resolved ? resolved.settings : undefined
  return {
    model: 'model' in resolved ? resolved.model : undefined,
    servedModelName: settings?.servedModelNames.value[0] ?? '',
    port: settings?.port.value ?? 8000,
    tls: settings?.tls.value ?? false,
    tensorParallelSize: settings?.tensorParallelSize.value ?? 1,
    pipelineParallelSize: settings?.pipelineParallelSize.value ?? 1,
    dataParallelSize: settings?.dataParallelSize.value ?? 1,
    step: resolved.kind === 'runs' ? stepOf(resolved.memory.limits) : undefined,
    shutdownTimeoutSeconds: settings?.shutdownTimeoutSeconds.value ?? 0,
    knownFlags: 'version' in resolved ? Object.keys(resolved.version.table.flags) : [],
    ...('refusal' in resolved ? { refusal: resolved.refusal } : {}),
  }
}

const stepOf = ({ maxNumSeqs, maxNumBatchedTokens }: Limits) => ({ requests: maxNumSeqs, tokens: maxNumBatchedTokens })
