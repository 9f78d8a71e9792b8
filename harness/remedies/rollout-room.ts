import { type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

const ROLLING = 'spec.strategy.rollingUpdate'

/** A rollout that has no room, or that leaves too little serving. */
export const rolloutRoom = remedy({
  causes: [
    'rollout-pod-does-not-fit',
    'no-replica-ready',
    'too-few-replicas-ready',
    'requests-no-endpoints',
    'requests-refused',
  ],
  diagnose(context): Diagnosis {
    const { deployment, broken } = context
    const { strategy, replicas } = deployment.spec
    if (strategy.type === 'Recreate')
      return {
        path: 'spec.strategy.type',
        says: 'spec.strategy.type: Recreate stops every replica before it starts a new one',
        candidates: candidates(context),
      }
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate!
    if (broken.cause === 'rollout-pod-does-not-fit')
      return {
        path: `${ROLLING}.maxSurge`,
        says: `${ROLLING}.maxSurge: ${maxSurge} needs ${needOf(context)} that no node has`,
        candidates: candidates(context),
      }
    return {
      path: `${ROLLING}.maxUnavailable`,
      says: `${ROLLING}.maxUnavailable: ${maxUnavailable} of ${replicas} replicas leaves too few to serve`,
      candidates: candidates(context),
    }
  },
})

/** `8 free GPUs`, or the resource the scheduler missed. */
function needOf({ broken, subject }: RemedyContext): string {
  const resource = /Insufficient (\S+?)[.,](?:\s|$)/.exec(broken.evidence[0]?.text ?? '')?.[1]
  if (resource === undefined || resource === 'nvidia.com/gpu')
    return `${subject.gpus} free GPU${subject.gpus === 1 ? '' : 's'}`
  return `more free ${resource}`
}

/** Within the GPUs there are where two replicas can take turns; otherwise with a surge, and if need be with a node more. */
function candidates({ deployment }: RemedyContext): Candidate[] {
  const { strategy, replicas } = deployment.spec
  const rolling = strategy.rollingUpdate
  const strategyOf = (maxSurge: number, maxUnavailable: number): Candidate => {
    const same =
      strategy.type === 'RollingUpdate' && rolling?.maxSurge === maxSurge && rolling.maxUnavailable === maxUnavailable
    const rollingUpdate = { maxSurge, maxUnavailable }
    return {
      says: same
        ? ''
        : `${strategy.type === 'Recreate' ? 'type: RollingUpdate, ' : ''}maxSurge: ${maxSurge}, maxUnavailable: ${maxUnavailable}`,
      changes: same ? [] : [{ path: 'spec.strategy', value: { type: 'RollingUpdate', rollingUpdate } }],
    }
  }
  const surge = strategyOf(1, 0)
  const withNode: Candidate = {
    ...surge,
    says: `one more node like those it runs on${surge.says ? `, and ${surge.says}` : ''}`,
    moreNodes: 1,
  }
  const unchangedWithNode: Candidate = { says: 'one more node like those it runs on', changes: [], moreNodes: 1 }
  return [
    ...(replicas >= 2 ? [strategyOf(0, 1)] : []),
    ...(surge.says ? [surge] : []),
    unchangedWithNode,
    ...(surge.says ? [withNode] : []),
  ].filter((candidate) => candidate.says !== '')
}
