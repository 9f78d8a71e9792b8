import { formatPath } from '../platform/path.ts'
import type { Signal } from '../platform/roles/autoscaling/scaling.ts'
import { type Candidate, type Diagnosis, type FieldChange, type RemedyContext, remedy } from './remedy.ts'

/** Waiting requests for which one more replica is worth its while. */
const WAITING_PER_REPLICA = 5

/** An autoscaler whose signals did not tell of requests that wait. */
export const autoscalerSignal = remedy({
  causes: ['autoscaler-blind'],
  diagnose(context): Diagnosis | undefined {
    const { scaling, broken } = context
    const [signal] = scaling?.signals ?? []
    if (!scaling || !signal) return undefined
    const failing = broken.evidence.find(({ text }) => /ScalingActive=False|TriggerError/.test(text))
    return {
      object: scaling.object.id,
      path: formatPath(signal.path),
      says: failing ? `${nameOf(signal)} cannot be read: ${failing.text}` : `${nameOf(signal)} ${whyBlind(signal)}`,
      candidates: withReplicasKept(context, candidates(context)),
    }
  },
})

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

/** The queue in place of resources, beside anything else; where the platform declares a way to it. */
function candidates(context: RemedyContext): Candidate[] {
  const { scaling, queueSignal } = context
  const { kind, object, signals } = scaling!
  const all = signals.every((signal) => signal.kind === 'resource')
  const instead = all ? ` in place of ${signals.map(nameOf).join(', ')}` : ' as well'
  const { podsMetric, serverAddress } = queueSignal
  const spec = (object.manifest['spec'] ?? {}) as { metrics?: unknown[]; triggers?: unknown[] }
  if (kind === 'hpa') {
    if (!podsMetric) return []
    const old = object.manifest.apiVersion !== 'autoscaling/v2'
    const metric = {
      type: 'Pods',
      pods: {
        metric: { name: podsMetric },
        target: { type: 'AverageValue', averageValue: String(WAITING_PER_REPLICA) },
      },
    }
    return [
      {
        says: `${old ? 'apiVersion: autoscaling/v2, ' : ''}metrics: ${podsMetric}, ${WAITING_PER_REPLICA} a replica,${instead}`,
        changes: [
          { object: object.id, path: 'spec.metrics', value: [...(all ? [] : (spec.metrics ?? [])), metric] },
          ...(old ? asV2(object.id) : []),
        ],
      },
    ]
  }
  if (!serverAddress) return []
  const query = queueQuery(context)
  const trigger = {
    type: 'prometheus',
    metadata: { serverAddress, query, threshold: String(WAITING_PER_REPLICA) },
  }
  return [
    {
      says: `triggers: ${query}, ${WAITING_PER_REPLICA} a replica,${instead}`,
      changes: [{ object: object.id, path: 'spec.triggers', value: [...(all ? [] : (spec.triggers ?? [])), trigger] }],
    },
  ]
}

/** autoscaling/v1 knows the CPU alone. */
const asV2 = (object: string): FieldChange[] => [
  { object, path: 'apiVersion', value: 'autoscaling/v2' },
  { object, path: 'spec.targetCPUUtilizationPercentage', value: undefined },
]

/** A queue that is empty calls for no more than the least: a second try keeps the replicas that the workload begins with. */
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
function queueQuery({ scaling, server }: RemedyContext): string {
  const queries = scaling!.signals.flatMap((signal) => (signal.kind === 'prometheus' ? [signal.query] : []))
  const matchers = queries.flatMap((query) => /vllm:\w+(\{[^}]*\})/.exec(query)?.[1] ?? [])[0]
  return `sum(vllm:num_requests_waiting${matchers ?? `{model_name="${server.servedModelName}"}`})`
}
