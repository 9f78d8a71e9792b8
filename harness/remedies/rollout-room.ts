import type { Deployment } from '../../sandbox/kube/objects.ts'
import { poolLimit } from './pool-limit.ts'
import { type Candidate, type Diagnosis, missingResource, type RemedyContext, remedy, rollingUpdate } from './remedy.ts'

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
    const bought = poolLimit(context)
    if (bought) return { ...bought, candidates: [...candidates(context).slice(0, 1), ...bought.candidates] }
    if (broken.cause === 'rollout-pod-does-not-fit')
      return {
        path: `${ROLLING}.maxSurge`,
        says: `${ROLLING}.maxSurge: ${maxSurge} needs ${needOf(context)} that no node${OF_ITS_SELECTOR.test(broken.evidence[0]?.text ?? '') ? ' of its selector or affinity' : ''} has`,
        candidates: candidates(context),
      }
    return {
      path: `${ROLLING}.maxUnavailable`,
      says: `${ROLLING}.maxUnavailable: ${maxUnavailable} of ${replicas} replicas leaves too few to serve`,
      candidates: candidates(context),
    }
  },
})

/** Some nodes were left out before anybody looked at their room. */
const OF_ITS_SELECTOR = /didn't match Pod's node affinity\/selector/

/** `8 free GPUs`, or the resource the scheduler missed. */
function needOf({ broken, subject }: RemedyContext): string {
  const resource = missingResource(broken)
  if (resource === undefined || resource === 'nvidia.com/gpu')
    return `${subject.gpus} free GPU${subject.gpus === 1 ? '' : 's'}`
  return `more free ${resource}`
}

/** Within the GPUs there are where two replicas can take turns; otherwise with a surge, and if need be with a node more. */
function candidates({ deployment }: RemedyContext): Candidate[] {
  const { replicas } = deployment.spec
  const turns = replicas >= 2 ? strategyOf(deployment, 0, 1) : undefined
  const surge = strategyOf(deployment, 1, 0)
  const moreNodes: Candidate = { says: 'one more node like those it runs on', moreNodes: 1 }
  const both = surge && { ...surge, says: `${moreNodes.says}, and ${surge.says}`, moreNodes: 1 }
  return [turns, surge, moreNodes, both].filter((candidate) => candidate !== undefined)
}

/** The change to a rolling strategy; undefined where the Deployment has it. */
function strategyOf({ spec }: Deployment, maxSurge: number, maxUnavailable: number): Candidate | undefined {
  const { type, rollingUpdate: now } = spec.strategy
  const rolls = type === 'RollingUpdate'
  if (rolls && now?.maxSurge === maxSurge && now.maxUnavailable === maxUnavailable) return undefined
  return {
    says: `${rolls ? '' : 'type: RollingUpdate, '}maxSurge: ${maxSurge}, maxUnavailable: ${maxUnavailable}`,
    changes: [rollingUpdate(maxSurge, maxUnavailable)],
  }
}
