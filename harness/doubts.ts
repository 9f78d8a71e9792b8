import { kindOf } from '../sandbox/kube/kinds.ts'
import type { Draft, KubeObject } from '../sandbox/kube/objects.ts'
import type { Capabilities } from '../sandbox/tiers/capabilities.ts'
import type { ResolvedServer } from '../sandbox/vllm/server/resolve.ts'
import { type FoundServer, hasNoAddress } from './inference-servers.ts'
import { howToAdd, yamlKey } from './platform/config/how-to-add.ts'
import { initKey } from './platform/inputs/init-inputs.ts'
import { likelyModel } from './platform/inputs/known-models.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import { type Platform, type PlatformObject, sourceOf } from './platform/platform.ts'
import { scalingOf } from './platform/roles/autoscaling/scaling.ts'
import { signalBlockers } from './platform/roles/autoscaling/signals.ts'
import type { EntryPath } from './platform/roles/entry-path.ts'
import { fetchingContainers } from './platform/roles/fetches.ts'
import { frontContainerOf } from './platform/roles/front-container.ts'
import { gpusOf } from './platform/roles/gpu-requests.ts'
import { poolProblems } from './platform/roles/karpenter.ts'
import { networkReachOf } from './platform/roles/network-reach.ts'
import { networkSaid, networkText } from './platform/roles/network-said.ts'
import { nodePoolsOf } from './platform/roles/node-pools.ts'
import { podTemplatesOf } from './platform/roles/pod-templates.ts'
import { remediationIn } from './platform/roles/remediation.ts'
import { schedulersOf } from './platform/roles/schedulers.ts'
import { unmodelled } from './platform/roles/unmodelled.ts'
import type { Scenario } from './scenario.ts'
import { brokenIn, type Invalid, type TrialResult } from './verdict/verdict.ts'

/** A server among its platform, and what is known of both before any scenario. */
interface Judged {
  readonly platform: Platform
  readonly server: FoundServer
  readonly capabilities: Capabilities
  readonly inputs: ResolvedInputs
  readonly entry: EntryPath
  /** See `actingOnTheWay`. */
  readonly acting: ReadonlySet<string>
}

/**
 * What keeps a scenario's verdict on a server from being given: what has no actor here, and what nobody knows. What the scenario cannot
 * notice does not count: fields it is blind to, and ways to a server when it sends no requests.
 */
export function blockersOf(
  { platform, server, capabilities, inputs, entry, acting }: Judged,
  resolved: ResolvedServer,
  scenario: Scenario,
): Invalid[] {
  const features = new Set([...capabilities.features, ...(scenario.blindTo ?? [])])
  // what it fetches is known once its model is
  const fetching = resolved.kind === 'unknown-model' ? fetchingContainers(platform, server) : []
  const timed = (container: string) =>
    initKey(server.id, container) in inputs.initTimesUs || fetching.some((one) => one.container.name === container)
  const found = unmodelled(platform, server, { ...capabilities, features }, timed)
    .filter(({ effect, source }) => effect !== 'routes' || (scenario.load && !acting.has(placeOf(source))))
    .map(
      ({ what, why, fix, source }): Invalid => ({
        code: 'UNMODELLED',
        what: `${what} (${source.file}:${source.line}:${source.column}): ${why}`,
        fix: fix ?? 'Take it out of what is verified to judge the rest, or try it on a real cluster.',
      }),
    )
  found.push(...otherGpuUsers(platform, server, capabilities))
  const { nodes } = inputs
  for (const { what, why, source } of [
    ...schedulersOf(platform).problems,
    ...poolProblems(platform, server.template.spec, nodes.value),
  ])
    found.push({
      code: 'UNMODELLED',
      what: `${what} (${source.file}:${source.line}:${source.column}): ${why}`,
      fix: 'Take it out of what is verified to judge the rest, or try it on a real cluster.',
    })
  // an engine that refuses to start fails whatever its autoscaler looks at
  if (!('refusal' in resolved)) found.push(...signalsNobodyHas(platform, server))
  found.push(...byPolicies({ platform, server, entry }, resolved, scenario))
  const service = server.services[0]
  if (scenario.load && service && hasNoAddress(service))
    found.push({
      code: 'UNMODELLED',
      what: `services/${service.manifest.metadata.name}: clients find the pods by DNS, and tier ${capabilities.tier} has no actor for it`,
      fix: 'Bring a Service with a cluster IP too.',
    })
  if (scenario.load && service) found.push(...throughAnother(server, service, resolved))
  if (scenario.load && !service)
    found.push({
      code: 'NO_LOAD',
      what: 'no Service in the manifests selects its pods, so no request can reach it',
      fix: 'Bring the Service too.',
    })
  if (resolved.kind === 'unmodelled' && found.length === 0)
    found.push({ code: 'UNMODELLED', what: resolved.reason, fix: 'Only vLLM servers of this kind can be simulated.' })
  if (resolved.kind === 'unknown-model')
    found.push({
      code: 'UNKNOWN_MODEL',
      what: `nothing is known of the model ${resolved.name}`,
      fix: howToName(platform, resolved.name, resolved.settings.servedModelNames.value),
    })
  if (resolved.kind === 'unknown-gpu') found.push(unknownGpu(platform, resolved.product))
  return found
}

function unknownGpu(platform: Platform, product: string | undefined): Invalid {
  const code = 'UNKNOWN_MODEL'
  if (product)
    return {
      code,
      what: `nothing is known of the GPU ${product}`,
      fix: 'Give nodes with a known GPU in seatrial.yaml.',
    }
  if (nodePoolsOf(platform).pools.length > 0)
    return {
      code,
      what: 'no NodePool buys a node for its pods: their GPUs, size, selector or tolerations',
      fix: 'Correct the pods or the NodePools; where nodes that no NodePool buys take these pods, give them under «nodes» in seatrial.yaml.',
    }
  return { code, what: 'no node has the GPUs its pods ask for', fix: 'Give nodes with a known GPU in seatrial.yaml.' }
}

/** How to say which vLLM an image holds. */
const howToSayVersion = ({ config }: Platform, image: string): string =>
  `${howToAdd(config, 'images', `${JSON.stringify(image)}: { vllm: 0.11.2 }`)}  with the version of vLLM the image holds`

/** A container of its pods that takes the requests and passes them on. */
function throughAnother(server: FoundServer, service: PlatformObject, resolved: ResolvedServer): Invalid[] {
  if (!('settings' in resolved)) return []
  const port = resolved.settings.port.value
  const front = frontContainerOf(server, service, port)
  if (!front) return []
  const { file, line, column } = sourceOf(server.object, front.path)
  return [
    {
      code: 'UNMODELLED',
      what: `container ${front.name} (${file}:${line}:${column}): requests reach the server through it, on port ${front.port}, and what it does with them is not simulated`,
      fix: `To judge the server without it, verify a Service that leads to the server's own port ${port}; or try it on a real cluster.`,
    },
  ]
}

/** What NetworkPolicies do that is not simulated, or cannot be known. */
function byPolicies(
  { platform, server, entry }: Pick<Judged, 'platform' | 'server' | 'entry'>,
  resolved: ResolvedServer,
  scenario: Scenario,
): Invalid[] {
  if (!('settings' in resolved)) return []
  const asked = {
    point: entry.point,
    port: resolved.settings.port.value,
    fetches: resolved.kind === 'runs' && resolved.weightsFrom === 'hub',
    signals: scalingOf(platform, server)?.signals,
    load: Boolean(scenario.load),
  }
  return networkSaid(platform, server, asked).map((one) => ({
    code: 'UNMODELLED',
    what: networkText(one),
    fix: one.fix,
  }))
}

/** How to say which model it is: a known one by its name, another by its figures. */
function howToName({ config }: Platform, name: string, servedNames: readonly string[]): string {
  const key = yamlKey(name)
  const likely = likelyModel([name, ...servedNames])
  const known = howToAdd(config, 'models', `${key}: ${likely ?? 'meta-llama/Llama-3.1-8B-Instruct'}`)
  const own = `${key}: { spec: { … } } with the figures of its config.json`
  return `${known}  ${likely ? 'if that is what it is' : 'with the public model it is'}; for a model of your own ${own}`
}

/** Where the gateways, routes and policies on the clients' way stand that act here as they do in a cluster. What policies do that is not simulated is said by `byPolicies`. */
export function actingOnTheWay(
  platform: Platform,
  server: FoundServer,
  resolved: ResolvedServer,
  { point, on }: EntryPath,
): ReadonlySet<string> {
  const port = 'settings' in resolved ? resolved.settings.port.value : 8000
  const { policies, confining } = networkReachOf(platform, server, { point, port })
  return placesOf([...on, ...policies, ...confining])
}

const placeOf = ({ file, line }: { file: string; line: number }): string => `${file}:${line}`
const placesOf = (objects: readonly PlatformObject[]): ReadonlySet<string> =>
  new Set(objects.map((object) => placeOf(sourceOf(object, 'kind'))))

/** What its autoscalers look at and nobody declares, or is not simulated: how many replicas there would be cannot be said. */
const signalsNobodyHas = (platform: Platform, server: FoundServer): Invalid[] => {
  const scaling = scalingOf(platform, server)
  return (scaling ? signalBlockers(platform, server, scaling) : []).map(
    ({ what, why, fix, object, source }): Invalid => ({
      code: 'UNMODELLED',
      what: `${object.id} (${source.file}:${source.line}:${source.column}): ${what}: ${why}`,
      fix,
    }),
  )
}

/** Pods of kinds without an actor that take GPUs: whether the server's find any left cannot be said. */
function otherGpuUsers(platform: Platform, server: FoundServer, capabilities: Capabilities): Invalid[] {
  return platform.objects
    .filter((object) => object !== server.object && !capabilities.kinds.has(kindOf(object.manifest).id))
    .filter((object) => podTemplatesOf(object).some((template) => gpusOf(template.spec) > 0))
    .map((object) => {
      const { file, line, column } = sourceOf(object, 'kind')
      return {
        code: 'UNMODELLED',
        what: `${kindOf(object.manifest).id}/${object.manifest.metadata.name} (${file}:${line}:${column}): its pods take GPUs, and tier ${capabilities.tier} has no actor for it`,
        fix: 'Take it out of what is verified to judge the rest, or try it on a real cluster.',
      }
    })
}

/** Results that rest on an estimate, or on a version nobody named, and would be others if that is wrong. */
export function doubtOf(
  result: TrialResult,
  resolved: ResolvedServer,
  { platform, image }: { platform: Platform; image: string },
): Invalid | undefined {
  const unmoved = brokenIn(result).some(({ cause }) => cause === 'device-lost-nobody-moves')
  const objects = platform.objects.map(({ manifest }) => manifest) as unknown as Draft<KubeObject>[]
  const [remediator] = unmoved && result.outcome === 'FAIL' ? remediationIn(objects).unmodelled : []
  if (remediator)
    return {
      code: 'UNMODELLED',
      what: `${remediator.what}: ${remediator.why}, and nothing here acts for it`,
      fix: 'Try it on a real cluster.',
    }
  const refused = brokenIn(result).some((broken) => broken.cause === 'engine-refused')
  if (resolved.kind === 'runs' && resolved.memory.uncertain && result.outcome === 'PASS')
    return {
      code: 'ESTIMATE_DECIDES',
      what: 'the model fits by so little that the error of the memory estimate decides',
      fix: 'Raise --gpu-memory-utilization or lower --max-model-len, or try the server once on its GPU.',
    }
  if (!refused || result.outcome !== 'FAIL') return undefined
  if (resolved.kind === 'refused' && resolved.refusal.uncertain)
    return {
      code: 'ESTIMATE_DECIDES',
      what: `it may not start, within the error of the memory estimate: ${resolved.refusal.message}`,
      fix: 'Try the server once on its GPU, or leave more room.',
    }
  if (resolved.kind === 'bad-arguments' && !resolved.certain)
    return {
      code: 'ASSUMPTION_DECIDES',
      what: `${resolved.refusal.message}; ${resolved.version.note}`,
      fix: howToSayVersion(platform, image),
    }
  return undefined
}
