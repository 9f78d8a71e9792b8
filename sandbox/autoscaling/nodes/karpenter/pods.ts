import { controllerOf } from '../../../kube/indexes.ts'
import type * as o from '../../../kube/objects.ts'
import { isActive, isFinished, isTerminating } from '../../../kube/pods.ts'
import { isTolerated } from '../../../scheduler/framework/plugins/taints.ts'
import { fromRfc3339, minutes, parseDuration, toSeconds, type Us } from '../../../world/time.ts'

// follows pkg/utils/pod/scheduling.go

export const DISRUPTED: o.Taint = { key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }
export const DO_NOT_DISRUPT = 'karpenter.sh/do-not-disrupt'

const isStatic = (pod: o.Pod): boolean => controllerOf(pod)?.kind === 'Node'
const isOfDaemonSet = (pod: o.Pod): boolean => controllerOf(pod)?.kind === 'DaemonSet'

/** Pods that need a place elsewhere when their node goes. */
export const isReschedulable = (pod: o.Pod): boolean =>
  (isActive(pod) || (controllerOf(pod)?.kind === 'StatefulSet' && isTerminating(pod))) &&
  !isOfDaemonSet(pod) &&
  !isStatic(pod)

/** `true`, or a duration from the pod's start on. */
export function isProtected({ metadata, status }: o.Pod, now: Us): boolean {
  const value = metadata.annotations?.[DO_NOT_DISRUPT]
  if (value === undefined || value === 'true') return value === 'true'
  try {
    const until = parseDuration(value)
    return status.startTime === undefined || now - fromRfc3339(status.startTime) < until
  } catch {
    return false
  }
}

const staysOnDisrupted = ({ spec }: o.Pod): boolean => isTolerated(spec.tolerations ?? [], DISRUPTED)

/** Pods a drain waits for. Those that should have ended a minute ago are given up. */
export const isDrainable = (pod: o.Pod, now: Us): boolean =>
  !isFinished(pod) &&
  !staysOnDisrupted(pod) &&
  !isStatic(pod) &&
  !(pod.metadata.deletionTimestamp && now - fromRfc3339(pod.metadata.deletionTimestamp) > minutes(1))

export const isEvictable = (pod: o.Pod, now: Us): boolean =>
  isActive(pod) && !staysOnDisrupted(pod) && !isStatic(pod) && !isProtected(pod, now)

/** In which order a drain sends pods away: ordinary ones, daemons, critical ones, critical daemons. */
export function drainRank(pod: o.Pod): number {
  const critical = /^system-(cluster|node)-critical$/.test(pod.spec.priorityClassName ?? '')
  return (critical ? 2 : 0) + (isOfDaemonSet(pod) ? 1 : 0)
}

/** Follows pkg/utils/disruption/disruption.go EvictionCost. */
function evictionCost({ metadata, spec }: o.Pod): number {
  const deletion = Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
  const cost = 1 + (Number.isNaN(deletion) ? 0 : deletion / 2 ** 27) + (spec.priority ?? 0) / 2 ** 25
  return Math.min(Math.max(cost, -10), 10)
}

/** What disrupting a node with these pods costs; less towards the end of its life. */
export function disruptionCost(pods: readonly o.Pod[], age: Us, expireAfter: Us): number {
  const remaining = Number.isFinite(expireAfter)
    ? Math.min(Math.max((toSeconds(expireAfter) - toSeconds(age)) / toSeconds(expireAfter), 0), 1)
    : 1
  return pods.reduce((sum, pod) => sum + evictionCost(pod), 0) * remaining
}
