import { kindOf } from '../../../sandbox/kube/kinds.ts'
import type { LabelSelector } from '../../../sandbox/kube/objects.ts'
import { selects } from '../../../sandbox/kube/selects.ts'
import type { Capabilities } from '../../../sandbox/tiers/capabilities.ts'
import type { SourcePosition } from '../locate.ts'
import { type FieldPath, formatPath, valueAt } from '../path.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { isMap } from './pod-templates.ts'
import { unmodelledFields } from './unmodelled-fields.ts'

/** Something that decides what happens to a judged workload and has no actor on the tier: the trial is INVALID, not PASS. */
export interface Unmodelled {
  readonly code: 'UNMODELLED'
  /** `rollouts.argoproj.io/chat`, or an object and its field. */
  readonly what: string
  /** What it does to the workload. */
  readonly effect: 'owns' | 'scales' | 'mutates' | 'admits' | 'routes' | 'schedules' | 'runs' | 'adds nodes'
  readonly why: string
  readonly fix?: string
  readonly source: SourcePosition
}

/** Everything that owns, scales, mutates, admits, schedules or routes to a server, or runs in its pods, without an actor on the tier. */
export function unmodelled<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  capabilities: Capabilities,
  timed?: (container: string) => boolean,
): Unmodelled[] {
  const found: Unmodelled[] = []
  const add = (
    object: PlatformObject,
    effect: Unmodelled['effect'],
    why: string,
    path: FieldPath = [],
    fix?: string,
  ) => {
    const { id } = kindOf(object.manifest)
    if (path.length === 0 && capabilities.kinds.has(id)) return
    const what = `${id}/${object.manifest.metadata.name}${path.length > 0 ? ` ${formatPath(path)}` : ''}`
    if (found.some((one) => one.what === what)) return
    found.push({
      code: 'UNMODELLED',
      what,
      effect,
      why: fix === undefined ? `${why}, and tier ${capabilities.tier} has no actor for it` : why,
      ...(fix === undefined ? {} : { fix }),
      source: sourceOf(object, path.length > 0 ? path : ['kind']),
    })
  }
  add(server.object, 'owns', 'it owns the pods')
  for (const object of platform.objects) {
    const effect = effectOn(object, server)
    if (effect) add(object, effect[0], effect[1])
  }
  const recognised = server.recognised as { kind?: string; code?: string; reason?: string } | null
  if (recognised?.kind === 'unmodelled') {
    const fix = recognised.code === 'unknown-entrypoint' ? NAME_IT : undefined
    add(server.object, 'runs', recognised.reason ?? 'its server cannot be simulated', server.containerPath, fix)
  }
  for (const field of unmodelledFields(platform, server, capabilities.features, timed))
    add(server.object, field.effect, field.why, field.path, field.fix)
  return found
}

const NAME_IT = 'Give the container its command: command: [vllm, serve, MODEL], with the arguments the image gives it.'

/** Custom resources that make inference servers themselves: what they would run is not to be seen in the manifests. */
export function unmodelledServingResources(platform: Platform, capabilities: Capabilities): Unmodelled[] {
  return platform.objects
    .filter((object) => SERVING.has(`${groupOf(object.manifest.apiVersion)}/${object.manifest.kind}`))
    .filter((object) => !capabilities.kinds.has(kindOf(object.manifest).id))
    .map((object) => ({
      code: 'UNMODELLED',
      what: `${kindOf(object.manifest).id}/${object.manifest.metadata.name}`,
      effect: 'owns',
      why: `its controller makes the inference servers, and tier ${capabilities.tier} has no actor for it`,
      source: sourceOf(object, 'kind'),
    }))
}

const SERVING = new Set([
  'serving.kserve.io/InferenceService',
  'serving.kserve.io/LLMInferenceService',
  'serving.kserve.io/InferenceGraph',
  'serving.knative.dev/Service',
  'ray.io/RayService',
  'ray.io/RayCluster',
  'apps.nvidia.com/NIMService',
  'nvidia.com/DynamoGraphDeployment',
  'kaito.sh/Workspace',
  'kaito.sh/InferenceSet',
  'production-stack.vllm.ai/VLLMRuntime',
  'inference.llmkube.dev/InferenceService',
  'leaderworkerset.x-k8s.io/LeaderWorkerSet',
  'orchestration.aibrix.ai/RayClusterFleet',
  'orchestration.aibrix.ai/StormService',
  'workload.serving.volcano.sh/ModelServing',
  'kubeai.org/Model',
])

const NODE_MAKERS = new Set(['karpenter.sh', 'cluster.x-k8s.io', 'autoscaling.openshift.io'])
const SCALER = /Autoscaler|Scale[dr]/
/** Kinds that name a workload only to watch it. */
const WATCHERS = /^(monitoring\.coreos\.com|monitoring\.googleapis\.com|grafana\.integreatly\.org)$/

/** Policies of load balancers that decide nothing about a workload they name. */
const WATCHING_POLICIES = new Set(['HealthCheckPolicy', 'ObservabilityPolicy'])

function effectOn<R>(
  object: PlatformObject,
  server: InferenceServerRole<R>,
): [Unmodelled['effect'], string] | undefined {
  if (object === server.object) return undefined
  const { kind, apiVersion } = object.manifest
  const group = groupOf(apiVersion)
  if (WATCHERS.test(group) || WATCHING_POLICIES.has(kind)) return undefined
  if (server.scalers.includes(object))
    return SCALER.test(kind) ? ['scales', 'it sets how many replicas there are'] : ['owns', 'it acts on the workload']
  if (server.routes.includes(object)) return ['routes', 'requests reach the server through it']
  if (kind === 'MutatingWebhookConfiguration' || kind === 'ValidatingWebhookConfiguration')
    return webhookEffect(object, server)
  if (kind === 'MutatingAdmissionPolicy') return ['mutates', 'it may change pods as they are created']
  if (kind === 'ValidatingAdmissionPolicy') return ['admits', 'it may refuse pods as they are created']
  if (group === 'kyverno.io' || group === 'policies.kyverno.io' || group.endsWith('.gatekeeper.sh'))
    return ['mutates', 'the policy may change or refuse pods']
  if (NODE_MAKERS.has(group)) return ['adds nodes', 'it makes and removes nodes']
  if (namespaceOf(object) !== namespaceOf(server.object)) return undefined
  if (kind === 'LimitRange' && group === '') return ['mutates', 'it sets requests and limits that pods do not give']
  if (kind === 'ResourceQuota' && group === '') return ['admits', 'it refuses pods above the quota']
  if (kind === 'NetworkPolicy' && isolates(object, server)) return ['routes', 'it decides who may connect to the pods']
  return undefined
}

function isolates<R>(object: PlatformObject, server: InferenceServerRole<R>): boolean {
  const selector = valueAt(object.manifest, 'spec.podSelector') as LabelSelector | undefined
  return selects(selector, { ...server.template.labels })
}

/** Whether one of its webhooks is called for the workload or its pods. Namespace selectors cannot be judged without the cluster: they count as matching. */
function webhookEffect<R>(
  object: PlatformObject,
  server: InferenceServerRole<R>,
): [Unmodelled['effect'], string] | undefined {
  const resources = new Set(['*', '*/*', 'pods', kindOf(server.object.manifest).plural])
  const hooks = object.manifest['webhooks']
  const called = (Array.isArray(hooks) ? hooks : []).some((hook: unknown) => {
    if (!isMap(hook)) return false
    const selector = hook['objectSelector'] as LabelSelector | undefined
    if (selector && !selects(selector, { ...server.template.labels })) return false
    const rules = Array.isArray(hook['rules']) ? (hook['rules'] as unknown[]) : []
    return rules.some(
      (rule) =>
        isMap(rule) && Array.isArray(rule['resources']) && rule['resources'].some((r) => resources.has(String(r))),
    )
  })
  if (!called) return undefined
  return object.manifest.kind.startsWith('Mutating')
    ? ['mutates', 'its webhook may change pods as they are created']
    : ['admits', 'its webhook may refuse pods as they are created']
}
