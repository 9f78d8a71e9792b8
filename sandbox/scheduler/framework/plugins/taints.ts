import type { Taint, Toleration } from '../../../kube/objects.ts'

/**
 * Whether a toleration covers a taint. Lt and Gt cover nothing: their feature gate is off in 1.36.
 * Follows k8s.io/api/core/v1/toleration.go ToleratesTaint.
 */
export function toleratesTaint(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return (!toleration.operator || toleration.operator === 'Equal') && (toleration.value ?? '') === (taint.value ?? '')
}

export const isTolerated = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some((toleration) => toleratesTaint(toleration, taint))

/** Whether a NoSchedule or NoExecute taint keeps the tolerations' pod away. */
export function keepsAway(taints: readonly Taint[] | undefined, tolerations: readonly Toleration[] = []): boolean {
  if (!taints || taints.length === 0) return false
  return taints.some((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, taint))
}
