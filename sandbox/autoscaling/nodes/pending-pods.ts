import { keyOf, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'

/** The pods the scheduler has found no node for, oldest first. */
export class PendingPods {
  private readonly pods = new Map<string, o.Pod>()
  private readonly onNew: (() => void) | undefined

  constructor(kube: Kube, onNew?: () => void) {
    this.onNew = onNew
    const look = (pod: o.Pod) => {
      const key = keyOf(pod)
      if (!isUnschedulable(pod)) {
        this.pods.delete(key)
        return
      }
      const known = this.pods.has(key)
      this.pods.set(key, pod)
      if (!known) this.onNew?.()
    }
    kube.watch(Pod, { added: look, updated: (_, pod) => look(pod), deleted: (pod) => this.pods.delete(keyOf(pod)) })
  }

  get size(): number {
    return this.pods.size
  }

  list(): readonly o.Pod[] {
    return [...this.pods.values()]
  }
}

/** Follows pkg/utils/pod/scheduling.go IsProvisionable of Karpenter and the Cluster Autoscaler's unschedulable pod lister. */
function isUnschedulable(pod: o.Pod): boolean {
  if (pod.spec.nodeName || pod.metadata.deletionTimestamp || pod.status.phase !== 'Pending') return false
  if (pod.status.nominatedNodeName) return false
  const scheduled = condition(pod, 'PodScheduled')
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable'
}
