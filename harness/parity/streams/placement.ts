import { Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { stream } from '../stream.ts'

/** Which pod goes to which nodes, which is nominated to them, and why one goes to none. */
export const placement = stream({
  name: 'placement',
  compares: 'pod → nodes alike in labels, taints and capacity; nominations; why a pod fits nowhere',
  start:
    ({ roles, periods, decide }) =>
    (_record, change) => {
      if (change?.kind !== Pod.id || !change.after) return
      const pod = change.after as o.Pod
      const before = change.before as o.Pod | undefined
      const { nodeName } = pod.spec
      const { nominatedNodeName } = pod.status
      if (nodeName && !before?.spec.nodeName) decide(`${roles.pod(pod)} → ${roles.node(nodeName)}`, periods.ofPod(pod))
      if (nominatedNodeName && nominatedNodeName !== before?.status.nominatedNodeName)
        decide(`${roles.pod(pod)} nominated to ${roles.node(nominatedNodeName)}`, periods.ofPod(pod))
      const why = unschedulable(pod)
      if (why && why !== (before && unschedulable(before))) decide(`${roles.pod(pod)}: ${why}`, periods.ofPod(pod))
    },
})

function unschedulable(pod: o.Pod): string | undefined {
  const scheduled = condition(pod, 'PodScheduled')
  return scheduled?.status === 'False' ? (scheduled.message ?? scheduled.reason) : undefined
}
