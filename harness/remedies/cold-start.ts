import { formatPath } from '../platform/path.ts'
import type { Scaling } from '../platform/roles/autoscaling/scaling.ts'
import { type Candidate, type Diagnosis, type FieldChange, remedy } from './remedy.ts'

/** A server that goes to zero and is not there, or not soon enough, when it is wanted again. */
export const coldStart = remedy({
  causes: ['never-wakes', 'requests-lost-at-zero', 'cold-start-too-slow'],
  diagnose({ scaling, broken }): Diagnosis | undefined {
    if (!scaling) return undefined
    const object = scaling.object.id
    const field = zeroField(scaling)
    const candidates = [awake(scaling)]
    if (broken.cause === 'never-wakes') {
      const signal = scaling.signals.find(({ kind }) => kind === 'prometheus') ?? scaling.signals[0]
      if (signal)
        return {
          object,
          path: formatPath(signal.kind === 'prometheus' ? signal.queryPath : signal.path),
          says: 'what it scales on is said by its own pods: while none runs there is nothing to say, and nothing wakes it',
          candidates,
        }
    }
    const says =
      broken.cause === 'requests-lost-at-zero'
        ? `${field}: 0 replicas, and nothing in front of them holds requests until one is Ready`
        : `${field}: 0 replicas, and a start takes longer than the first answer may`
    return { object, path: field, says, candidates }
  },
})

/** The field that lets it go to zero. */
function zeroField({ kind, idleReplicas }: Scaling): string {
  if (kind === 'hpa') return 'spec.minReplicas'
  return idleReplicas === 0 ? 'spec.idleReplicaCount' : 'spec.minReplicaCount'
}

/** One replica always runs. */
function awake({ kind, object, minReplicas, idleReplicas }: Scaling): Candidate {
  const change = (path: string, value: unknown): FieldChange => ({ object: object.id, path, value })
  if (kind === 'hpa') return { says: 'minReplicas: 1', changes: [change('spec.minReplicas', 1)] }
  const least = Math.max(1, minReplicas)
  return {
    says: `${idleReplicas === undefined ? '' : 'without idleReplicaCount, '}minReplicaCount: ${least}`,
    changes: [
      ...(idleReplicas === undefined ? [] : [change('spec.idleReplicaCount', undefined)]),
      change('spec.minReplicaCount', least),
    ],
  }
}
