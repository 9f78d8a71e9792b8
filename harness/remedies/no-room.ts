import { poolLimit } from './pool-limit.ts'
import { containerPath, type Diagnosis, missingResource, remedy, serverContainer } from './remedy.ts'

/** Pods that do not fit on the nodes there are, before anything is rolled out. */
export const noRoom = remedy({
  causes: ['pod-does-not-fit'],
  diagnose(context): Diagnosis {
    const { broken, deployment, subject } = context
    const bought = poolLimit(context)
    if (bought) return bought
    const text = broken.evidence[0]?.text ?? ''
    const resource = missingResource(broken) ?? 'nvidia.com/gpu'
    const { requests, limits } = serverContainer(context).resources
    const asked = requests?.[resource] ?? limits?.[resource]
    const { replicas } = deployment.spec
    const never = /Preemption is not helpful for scheduling/.test(text) && !/No preemption victims/.test(text)
    const field = limits?.[resource] === undefined ? 'requests' : 'limits'
    if (never)
      return {
        path: `${containerPath(context)}.resources.${field}[${resource}]`,
        says: `${resource}: ${asked ?? '?'} is more than any node has`,
        candidates: [],
      }
    return {
      path: 'spec.replicas',
      says: `${replicas} replicas of ${asked ?? subject.gpus} ${resource} do not fit on the nodes given`,
      candidates: [
        { says: 'one more node like those it runs on', moreNodes: 1 },
        ...(replicas > 1
          ? [{ says: `replicas: ${replicas - 1}`, changes: [{ path: 'spec.replicas', value: replicas - 1 }] }]
          : []),
      ],
    }
  },
})
