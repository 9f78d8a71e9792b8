import type * as o from '../../kube/objects.ts'
import { specReplicas } from './replica-counts.ts'

/** How far a rolling update may go over and under the wanted number, in pods. */
interface Fenceposts {
  readonly surge: number
  readonly unavailable: number
}

/**
 * maxSurge rounded up and maxUnavailable rounded down; when both come to nothing one pod may be unavailable, or the update
 * could not move. Follows ResolveFenceposts in pkg/controller/deployment/util/deployment_util.go.
 */
export function resolveFenceposts(
  maxSurge: o.IntOrString | undefined,
  maxUnavailable: o.IntOrString | undefined,
  desired: number,
): Fenceposts {
  const surge = scaledValue(maxSurge ?? 0, desired, Math.ceil)
  const unavailable = scaledValue(maxUnavailable ?? 0, desired, Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

// follows k8s.io/apimachinery/pkg/util/intstr GetScaledValueFromIntOrPercent
function scaledValue(value: o.IntOrString, total: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value
  const percent = /^([+-]?\d+)%$/.exec(value)
  if (!percent) return 0
  return round((Number(percent[1]) * total) / 100)
}

const fencepostsOf = ({ spec }: o.Deployment): Fenceposts => {
  const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate ?? {}
  return resolveFenceposts(maxSurge, maxUnavailable, spec.replicas)
}

export const isRollingUpdate = (d: o.Deployment): boolean => d.spec.strategy.type === 'RollingUpdate'

/** Pods allowed over `spec.replicas`: 0 unless the strategy is RollingUpdate. */
export const maxSurgeOf = (d: o.Deployment): number => (isRollingUpdate(d) ? fencepostsOf(d).surge : 0)

/** Pods that may be unavailable: 0 unless the strategy is RollingUpdate, and never more than there should be. */
export const maxUnavailableOf = (d: o.Deployment): number =>
  isRollingUpdate(d) ? Math.min(fencepostsOf(d).unavailable, d.spec.replicas) : 0

/**
 * The size the new ReplicaSet should have now: as large as the surge allows, at most the whole.
 * Follows NewRSNewReplicas in pkg/controller/deployment/util/deployment_util.go.
 */
export function newReplicasOf(d: o.Deployment, all: readonly o.ReplicaSet[], newReplicas: number): number {
  if (!isRollingUpdate(d)) return d.spec.replicas
  // the surge alone is resolved here: a maxUnavailable of nothing does not matter to growing
  const surge = scaledValue(d.spec.strategy.rollingUpdate?.maxSurge ?? 0, d.spec.replicas, Math.ceil)
  const room = d.spec.replicas + surge - specReplicas(all)
  if (room <= 0) return newReplicas
  return newReplicas + Math.min(room, d.spec.replicas - newReplicas)
}
