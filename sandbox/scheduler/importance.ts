import type { Pod } from '../kube/objects.ts'
import { fromRfc3339, type Us } from '../world/time.ts'
import type { PodInfo } from './framework/pod-info.ts'

/** When the pod started; now when it has not. Follows pkg/scheduler/util/utils.go GetPodStartTime. */
export const startTime = (pod: Pod, now: Us): Us => (pod.status?.startTime ? fromRfc3339(pod.status.startTime) : now)

/** Higher priority first, then longer running. Follows pkg/scheduler/util/utils.go MoreImportantPod. */
export const byImportance =
  (now: Us) =>
  (a: PodInfo, b: PodInfo): number =>
    b.priority - a.priority || startTime(a.pod, now) - startTime(b.pod, now)

/** Whether the pod is going because the scheduler preempted it. */
export function isTerminatingByPreemption(pod: Pod): boolean {
  if (!pod.metadata.deletionTimestamp) return false
  const target = pod.status?.conditions?.find((condition) => condition.type === 'DisruptionTarget')
  return target?.status === 'True' && target.reason === 'PreemptionByScheduler'
}
