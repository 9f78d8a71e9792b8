import { ReplicaSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { isRollingUpdate, maxSurgeOf } from './fenceposts.ts'
import { active, byCreation, bySizeNewerFirst, bySizeOlderFirst, specReplicas } from './replica-counts.ts'
import type { Sets } from './replica-sets.ts'
import { countIn, DESIRED_REPLICAS, MAX_REPLICAS, replicasAnnotations } from './revision.ts'
import type { Pass } from './working-copy.ts'

// follows pkg/controller/deployment/sync.go and util/deployment_util.go

/**
 * Sets a ReplicaSet's size and the annotations that go with it; `evenIfSame` brings the annotations up to date alone.
 * Whether the size was changed, and the set as it is now.
 */
export function* scaleReplicaSet(
  { d, context }: Pass,
  rs: o.ReplicaSet,
  replicas: number,
  options: { evenIfSame?: boolean } = {},
): Task<{ scaled: boolean; rs: o.ReplicaSet }> {
  const before = rs.spec.replicas
  const resize = before !== replicas
  const annotations = { ...rs.metadata.annotations, ...replicasAnnotations(d) }
  const reannotate = [DESIRED_REPLICAS, MAX_REPLICAS].some((key) => rs.metadata.annotations?.[key] !== annotations[key])
  if (!resize && !(options.evenIfSame && reannotate)) return { scaled: false, rs }
  const written = yield* context.kube.update(ReplicaSet, {
    ...rs,
    metadata: { ...rs.metadata, annotations },
    spec: { ...rs.spec, replicas },
  })
  if (resize) {
    const way = before < replicas ? 'up' : 'down'
    const message = `Scaled ${way} replica set ${rs.metadata.name} from ${before} to ${replicas}`
    context.kube.event(d, 'Normal', 'ScalingReplicaSet', message)
  }
  return { scaled: resize, rs: written }
}

/** Whether the Deployment's size was changed since its ReplicaSets were last sized. */
export const isScalingEvent = (d: o.Deployment, { all }: Sets): boolean =>
  active(all).some((rs) => {
    const desired = countIn(rs, DESIRED_REPLICAS)
    return desired !== undefined && desired !== d.spec.replicas
  })

/**
 * Brings the sets to a new size of the Deployment: the only set that has pods takes it all; amid a rollout the difference is
 * shared out in proportion, so that scaling does not hasten the rollout.
 */
export function* scale(pass: Pass, { current, old, all }: Sets): Task {
  const { d } = pass
  const only = activeOrLatest(current, old)
  if (only) {
    yield* scaleReplicaSet(pass, only, d.spec.replicas)
    return
  }
  if (current && isSaturated(d, current)) {
    for (const rs of active(old)) yield* scaleReplicaSet(pass, rs, 0)
    return
  }
  if (!isRollingUpdate(d)) return
  for (const { rs, replicas } of proportionalSizes(d, active(all)))
    yield* scaleReplicaSet(pass, rs, replicas, { evenIfSame: true })
}

/** New sizes for the sets, largest first; what rounding leaves goes to the largest. */
export function proportionalSizes(
  d: o.Deployment,
  sets: readonly o.ReplicaSet[],
): { rs: o.ReplicaSet; replicas: number }[] {
  const allowed = d.spec.replicas > 0 ? d.spec.replicas + maxSurgeOf(d) : 0
  const toAdd = allowed - specReplicas(sets)
  // of sets of one size the newer grows first and the older shrinks first
  const sorted = toAdd === 0 ? [...sets] : [...sets].sort(toAdd > 0 ? bySizeNewerFirst : bySizeOlderFirst)
  let added = 0
  const sizes = sorted.map((rs) => {
    const share = proportionOf(rs, d, toAdd, added)
    added += share
    return { rs, replicas: rs.spec.replicas + share }
  })
  const [largest] = sizes
  if (largest && toAdd !== 0) largest.replicas = Math.max(0, largest.replicas + toAdd - added)
  return sizes
}

/** One set's share of `toAdd`, of which `added` is given out. Follows GetReplicaSetProportion. */
export function proportionOf(rs: o.ReplicaSet, d: o.Deployment, toAdd: number, added: number): number {
  if (rs.spec.replicas === 0 || toAdd === 0 || toAdd === added) return 0
  const fraction = fractionOf(rs, d)
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added)
}

function fractionOf(rs: o.ReplicaSet, d: o.Deployment): number {
  const { replicas } = rs.spec
  if (d.spec.replicas === 0) return -replicas
  const maxBefore = countIn(rs, MAX_REPLICAS) || d.status.replicas || 0
  if (maxBefore === 0) return 0
  const exact = (replicas * (d.spec.replicas + maxSurgeOf(d))) / maxBefore
  // halves go away from zero, as k8s.io/utils/integer RoundToInt32 rounds
  return Math.floor(exact + 0.5) - replicas
}

/** The one set that has pods, or the newest when none has. Follows FindActiveOrLatest. */
export function activeOrLatest(
  current: o.ReplicaSet | undefined,
  old: readonly o.ReplicaSet[],
): o.ReplicaSet | undefined {
  const withPods = active(current ? [...old, current] : old)
  if (withPods.length > 1) return undefined
  return withPods[0] ?? current ?? [...old].sort(byCreation).at(-1)
}

/** All pods of the Deployment are this set's, and available. Follows IsSaturated. */
export const isSaturated = (d: o.Deployment, rs: o.ReplicaSet): boolean =>
  rs.spec.replicas === d.spec.replicas &&
  countIn(rs, DESIRED_REPLICAS) === d.spec.replicas &&
  (rs.status.availableReplicas ?? 0) === d.spec.replicas
