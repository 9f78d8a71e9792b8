import { type Candidate, type Diagnosis, type RelatedObject, type RemedyContext, remedy } from './remedy.ts'

/** An autoscaler that sees the load and is not allowed, or not able, to bring what it needs in time. */
export const scaleOutRoom = remedy({
  causes: ['scale-out-has-no-gpu', 'max-replicas-too-low', 'scale-out-too-slow'],
  diagnose(context): Diagnosis | undefined {
    const { scaling, broken, subject } = context
    if (!scaling) return undefined
    const { object, kind, maxReplicas } = scaling
    const max = kind === 'hpa' ? 'spec.maxReplicas' : 'spec.maxReplicaCount'
    const lacking = broken.wanted ?? 1
    if (broken.cause === 'scale-out-too-slow') return slow(context, object)
    if (broken.cause === 'scale-out-has-no-gpu')
      return {
        object: object.id,
        path: max,
        says: `${max}: ${maxReplicas} replicas of ${subject.gpus} GPU${subject.gpus === 1 ? '' : 's'} do not fit on the nodes given`,
        candidates: [...new Set([1, lacking])].map((moreNodes) => ({
          says:
            moreNodes === 1 ? 'one more node like those it runs on' : `${moreNodes} more nodes like those it runs on`,
          moreNodes,
        })),
      }
    return {
      object: object.id,
      path: max,
      says: `${max}: ${maxReplicas} replicas do not serve the load`,
      candidates: [
        { says: `${max.slice(5)}: ${lacking}`, changes: [{ object: object.id, path: max, value: lacking }] },
      ],
    }
  },
})

const BEHAVIOR = { hpa: 'spec.behavior', keda: 'spec.advanced.horizontalPodAutoscalerConfig.behavior' } as const

/** A behaviour that holds it back is the manifest's; how long a server takes to load is not. */
function slow({ scaling }: RemedyContext, object: RelatedObject): Diagnosis | undefined {
  const path = `${BEHAVIOR[scaling!.kind]}.scaleUp`
  const behavior = BEHAVIOR[scaling!.kind]
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object.manifest)
  const scaleUp = (behavior as { scaleUp?: unknown } | undefined)?.scaleUp
  if (scaleUp !== undefined) {
    const without: Candidate = {
      says: 'without behavior.scaleUp',
      changes: [{ object: object.id, path, value: undefined }],
    }
    return { object: object.id, path, says: `${path} holds replicas back while requests wait`, candidates: [without] }
  }
  const [signal] = scaling!.signals
  return {
    object: object.id,
    path: scaling!.kind === 'hpa' ? 'spec.metrics' : 'spec.triggers',
    says: `what it scales on${signal ? '' : ' (nothing)'} tells of the load too late for the time a replica takes to come`,
    candidates: [],
  }
}
