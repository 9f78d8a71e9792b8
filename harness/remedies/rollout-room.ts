import { type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

const ROLLING = 'spec.strategy.rollingUpdate'

/** A rollout that has no room, or that leaves too little serving. */
export const rolloutRoom = remedy({
  causes: ['rollout-pod-does-not-fit', 'no-replica-ready', 'too-few-replicas-ready', 'requests-no-endpoints'],
  diagnose(context): Diagnosis {
    const { deployment, broken, subject } = context
    const { strategy, replicas } = deployment.spec
    if (strategy.type === 'Recreate')
      return {
        path: 'spec.strategy.type',
        says: 'spec.strategy.type: Recreate stops every replica before it starts a new one',
        candidates: candidates(context, 'type: RollingUpdate, '),
      }
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate!
    const needs = `needs ${subject.gpus} free GPU${subject.gpus === 1 ? '' : 's'} that no node has`
    if (broken.cause === 'rollout-pod-does-not-fit')
      return {
        path: `${ROLLING}.maxSurge`,
        says: `${ROLLING}.maxSurge: ${maxSurge} ${needs}`,
        candidates: candidates(context, ''),
      }
    return {
      path: `${ROLLING}.maxUnavailable`,
      says: `${ROLLING}.maxUnavailable: ${maxUnavailable} of ${replicas} replicas leaves too few to serve`,
      candidates: candidates(context, ''),
    }
  },
})

function candidates({ deployment, subject }: RemedyContext, prefix: string): Candidate[] {
  const { replicas } = deployment.spec
  const swap: Candidate = {
    says: `${prefix}maxSurge: 0, maxUnavailable: 1`,
    changes: [
      { path: 'spec.strategy', value: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
    ],
  }
  const surge: Candidate = {
    says: `one more node with ${subject.gpus} GPU${subject.gpus === 1 ? '' : 's'}${prefix ? `, and ${prefix}maxSurge: 1, maxUnavailable: 0` : ''}`,
    changes: [
      { path: 'spec.strategy', value: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    ],
    moreNodes: 1,
  }
  return replicas >= 2 ? [swap, surge] : [surge]
}
