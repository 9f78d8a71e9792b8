import { formatPath } from '../platform/path.ts'
import type { SignalFinding } from '../platform/roles/autoscaling/findings.ts'
import type { Signal } from '../platform/roles/autoscaling/scaling.ts'
import { type Candidate, type Diagnosis, type FieldChange, type RemedyContext, remedy } from './remedy.ts'

/** Waiting requests for which one more replica is worth its while. */
const WAITING_PER_REPLICA = 5
/** Requests that a replica has at once in comfort, where nobody saw how many it can run. */
const REQUESTS_PER_REPLICA = 32

/** An autoscaler whose signals did not tell of requests that wait, or of no more than those. */
export const autoscalerSignal = remedy({
  causes: ['autoscaler-blind', 'autoscaler-flaps'],
  diagnose(context): Diagnosis | undefined {
    const { scaling, broken } = context
    const [signal] = scaling?.signals ?? []
    if (!scaling || !signal) return undefined
    const wrong = context.signalFindings().find(({ blocks }) => !blocks)
    if (wrong) return ofManifests(context, wrong)
    const failing = broken.evidence.find(({ text }) => /ScalingActive=False|TriggerError/.test(text))
    return {
      object: scaling.object.id,
      path: formatPath(signal.path),
      says: failing
        ? `${nameOf(signal)} cannot be read: ${failing.text}`
        : `${nameOf(signal)} ${broken.cause === 'autoscaler-flaps' ? FALLS : whyBlind(signal)}`,
      candidates: withReplicasKept(context, candidates(context)),
    }
  },
})

/** The manifests themselves tell why it sees nothing. */
function ofManifests(context: RemedyContext, finding: SignalFinding): Diagnosis {
  const { kind, object, path, what, why, fix, mend } = finding
  const at = formatPath(path)
  if (kind === 'ambiguous') return { object: object.id, path: at, says: `${why} as ${what}. ${fix}`, candidates: [] }
  const mended = mend && { says: mend.says, changes: [{ object: object.id, path: at, value: mend.value }] }
  return {
    object: object.id,
    path: at,
    says: kind === 'miswired' ? `${object.id}: ${why}; ${what} does not reach the autoscaler` : `${what}: ${why}`,
    candidates: [...(mended ? [mended] : []), ...withReplicasKept(context, candidates(context))],
  }
}

const FALLS = 'falls as soon as what waited is served: it says that replicas are too few, and not how many are needed'

/** `cpu`, `vllm:kv_cache_usage_perc`: what it scales on, by name. */
function nameOf(signal: Signal): string {
  if (signal.kind === 'resource') return signal.resource
  if (signal.kind === 'prometheus') return `«${signal.query.replaceAll(/\s+/g, ' ').trim()}»`
  if (signal.kind === 'cron') return 'a schedule'
  return signal.kind === 'other' ? signal.type : signal.metric
}

function whyBlind(signal: Signal): string {
  if (signal.kind === 'resource')
    return signal.resource === 'cpu'
      ? 'does not tell of the load: an engine takes about one core as soon as anything runs, and no more however many wait'
      : 'does not tell of the load: vLLM takes its memory at the start, and no more however many wait'
  const name = signal.kind === 'prometheus' ? signal.query : signal.kind === 'cron' ? '' : nameOf(signal)
  return /cache_usage/.test(name)
    ? 'stays low where the batch (--max-num-seqs) or the GPU is full before the cache is: short prompts wait all the same'
    : 'did not ask for more replicas while requests waited'
}

/** Requests in place of resources and of the queue alone, beside anything else; where the platform declares a way to them. */
function candidates(context: RemedyContext): Candidate[] {
  const { scaling, queueSignal } = context
  const { kind, object, signals } = scaling!
  const all = signals.every((signal) => signal.kind === 'resource' || isQueueAlone(signal, context))
  const instead = all ? ` in place of ${signals.map(nameOf).join(', ')}` : ' as well'
  const { serverAddress } = queueSignal
  const spec = (object.manifest['spec'] ?? {}) as { metrics?: unknown[]; triggers?: unknown[] }
  if (kind === 'hpa') {
    const old = object.manifest.apiVersion !== 'autoscaling/v2'
    return podsMetrics(context).map((metrics) => ({
      says: `${old ? 'apiVersion: autoscaling/v2, ' : ''}metrics: ${metrics.map(({ name, target }) => `${name}, ${target} a replica`).join(', and ')},${instead}`,
      changes: [
        {
          object: object.id,
          path: 'spec.metrics',
          value: [...(all ? [] : (spec.metrics ?? [])), ...metrics.map(asPodsMetric)],
        },
        ...(old ? asV2(object.id) : []),
      ],
    }))
  }
  if (!serverAddress) return []
  const query = requestsQuery(context)
  const threshold = String(perReplica(context))
  const trigger = { type: 'prometheus', metadata: { serverAddress, query, threshold } }
  return [
    {
      says: `triggers: ${query}, ${threshold} a replica,${instead}`,
      changes: [{ object: object.id, path: 'spec.triggers', value: [...(all ? [] : (spec.triggers ?? [])), trigger] }],
    },
  ]
}

/** Half of what a replica runs at once when it is full: twice as many replicas have room for all that wait, and keep the number up. */
const perReplica = ({ broken }: RemedyContext): number =>
  broken.batch === undefined ? REQUESTS_PER_REPLICA : Math.max(1, Math.floor(broken.batch / 2))

interface PodsMetric {
  readonly name: string
  readonly target: number
}

/** What the adapter has, the best first: what runs and waits together, in two metrics, and what waits alone. */
function podsMetrics(context: RemedyContext): PodsMetric[][] {
  const { waiting, running, both } = context.queueSignal.podsMetrics
  const target = perReplica(context)
  const queue = waiting ? [{ name: waiting, target: WAITING_PER_REPLICA }] : []
  if (both) return [[{ name: both, target }]]
  if (running) return [[{ name: running, target }, ...queue]]
  return queue.length > 0 && context.broken.cause !== 'autoscaler-flaps' ? [queue] : []
}

const asPodsMetric = ({ name, target }: PodsMetric) => ({
  type: 'Pods',
  pods: { metric: { name }, target: { type: 'AverageValue', averageValue: String(target) } },
})

/** Whether a signal is about the requests that wait and no others. */
function isQueueAlone(signal: Signal, { queueSignal }: RemedyContext): boolean {
  if (signal.kind === 'prometheus') return /num_requests_waiting/.test(signal.query) && !/running/.test(signal.query)
  return signal.kind !== 'cron' && signal.kind !== 'other' && nameOf(signal) === queueSignal.podsMetrics.waiting
}

/** autoscaling/v1 knows the CPU alone. */
const asV2 = (object: string): FieldChange[] => [
  { object, path: 'apiVersion', value: 'autoscaling/v2' },
  { object, path: 'spec.targetCPUUtilizationPercentage', value: undefined },
]

/** A server with nothing to do calls for no more than the least: a second try keeps the replicas that the workload begins with. */
function withReplicasKept({ scaling, deployment }: RemedyContext, plain: readonly Candidate[]): Candidate[] {
  const { kind, object, minReplicas } = scaling!
  const { replicas } = deployment.spec
  if (replicas <= minReplicas) return [...plain]
  const field = kind === 'hpa' ? 'minReplicas' : 'minReplicaCount'
  const kept = plain.map(({ says, changes = [] }) => ({
    says: `${says}, and ${field}: ${replicas}`,
    changes: [...changes, { object: object.id, path: `spec.${field}`, value: replicas }],
  }))
  return [...plain, ...kept]
}

/** Of the series that a trigger already selects, or of the model. */
function requestsQuery({ scaling, server }: RemedyContext): string {
  const queries = scaling!.signals.flatMap((signal) => (signal.kind === 'prometheus' ? [signal.query] : []))
  const matchers = queries.flatMap((query) => /vllm:\w+(\{[^}]*\})/.exec(query)?.[1] ?? [])[0]
  const which = matchers ?? `{model_name="${server.servedModelName}"}`
  return ['running', 'waiting'].map((what) => `sum(vllm:num_requests_${what}${which})`).join(' + ')
}
