import { equal } from '../journal/merge-patch.ts'
import type { Pod, PodStatus } from '../kube/objects.ts'
import type { Rejection } from './admission.ts'
import { containersReadyOf, readyOf } from './pod-conditions.ts'

/** Whether an update is more than the kubelet's own status coming back. Follows podsDifferSemantically. */
export function differ(a: Pod, b: Pod): boolean {
  return !(
    equal(a.spec, b.spec) &&
    sameMap(a.metadata.labels, b.metadata.labels) &&
    sameMap(a.metadata.annotations, b.metadata.annotations) &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.metadata.deletionGracePeriodSeconds === b.metadata.deletionGracePeriodSeconds
  )
}

const sameMap = (a: Record<string, string> | undefined, b: Record<string, string> | undefined): boolean =>
  a === b || equal(a ?? {}, b ?? {})

/** Somebody changed a readiness gate's condition. Follows pkg/kubelet/status/status_manager.go NeedToReconcilePodReadiness. */
export function readinessStale(pod: Pod): boolean {
  const { status } = pod
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const wanted = readyOf(pod, containersReadyOf(pod, all, status.phase), status.conditions ?? [])
  const has = status.conditions?.find((c) => c.type === 'Ready')
  return !has || has.status !== wanted.status || has.reason !== wanted.reason || has.message !== wanted.message
}

/** The last status of a pod the kubelet will not run. Follows pkg/kubelet/kubelet.go rejectPod. */
export function rejectedStatus({ status: { qosClass } }: Pod, { reason, message }: Rejection): PodStatus {
  return { phase: 'Failed', reason, message: `Pod was rejected: ${message}`, ...(qosClass ? { qosClass } : {}) }
}
