import { ApiError, isApiError } from '../../kube/errors.ts'
import { controllerOf } from '../../kube/indexes.ts'
import { CustomResourceDefinition, Deployment, type Kind, kindOf, ReplicaSet, StatefulSet } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'

// follows pkg/controller/disruption/disruption.go

/** It cannot be said how many pods there should be. */
export class CountError extends Error {
  readonly code = 'expected-pods'
  constructor(message: string) {
    super(message)
    this.name = 'CountError'
  }
}

export interface Expected {
  readonly expected: number
  /** How many must be healthy. */
  readonly desired: number
  /** Names of pods without a controller, where that matters. */
  readonly unmanaged: readonly string[]
}

/**
 * How many pods a budget means, and how many of them must be healthy. A percentage is of what the pods' controllers want, not of
 * the pods there are. Fails with a CountError. Follows getExpectedPodCount.
 */
export function* expectedPods({ spec }: o.PodDisruptionBudget, pods: readonly o.Pod[], kube: Kube): Task<Expected> {
  const { minAvailable, maxUnavailable } = spec
  if (maxUnavailable !== undefined) {
    const { expected, unmanaged } = yield* expectedScale(pods, kube)
    return { expected, unmanaged, desired: Math.max(0, expected - scaledUp(maxUnavailable, expected)) }
  }
  if (minAvailable === undefined) return { expected: 0, desired: 0, unmanaged: [] }
  if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable, unmanaged: [] }
  const { expected, unmanaged } = yield* expectedScale(pods, kube)
  return { expected, unmanaged, desired: scaledUp(minAvailable, expected) }
}

// follows k8s.io/apimachinery/pkg/util/intstr GetScaledValueFromIntOrPercent
function scaledUp(value: o.IntOrString, total: number): number {
  if (typeof value === 'number') return value
  const percent = /^([+-]?\d+)%$/.exec(value)
  if (!percent) throw new CountError(`invalid value for IntOrString: invalid type: string is not a percentage`)
  return Math.ceil((Number(percent[1]) * total) / 100)
}

/** The sum of what the pods' controllers want, each counted once. */
function* expectedScale(pods: readonly o.Pod[], kube: Kube): Task<{ expected: number; unmanaged: string[] }> {
  const scales = new Map<string, number>()
  const unmanaged: string[] = []
  const seen = new Set<string>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) unmanaged.push(pod.metadata.name)
    else if (!seen.has(owner.uid)) {
      seen.add(owner.uid)
      const found = yield* scaleOf(owner, pod.metadata.namespace ?? '', kube)
      if (!found) throw new CountError(`found no controllers for pod "${pod.metadata.name}"`)
      scales.set(found.uid, found.replicas)
    }
  }
  let expected = 0
  for (const replicas of scales.values()) expected += replicas
  return { expected, unmanaged }
}

interface Scaled {
  readonly uid: string
  readonly replicas: number
}

const REPLICATION_CONTROLLER = kindOf({ apiVersion: 'v1', kind: 'ReplicationController' })

/** Asked in upstream's order: a ReplicaSet's Deployment stands for it; what is none of these is asked for its scale. */
function* scaleOf(owner: o.OwnerReference, namespace: string, kube: Kube): Task<Scaled | undefined> {
  const key = `${namespace}/${owner.name}`
  if (isOf(owner, REPLICATION_CONTROLLER)) return replicasOf(kube.get(REPLICATION_CONTROLLER, key), owner)
  if (isOf(owner, ReplicaSet)) {
    const set = kube.get(ReplicaSet, key)
    const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined
    const found =
      above?.kind === Deployment.kind
        ? replicasOf(kube.get(Deployment, `${namespace}/${above.name}`), above)
        : replicasOf(set, owner)
    if (found) return found
  }
  if (isOf(owner, StatefulSet)) {
    const found = replicasOf(kube.get(StatefulSet, key), owner)
    if (found) return found
  }
  return yield* liveScale(owner, key, kube)
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.split('/')[0]! : '')

const isOf = (owner: o.OwnerReference, kind: Kind): boolean =>
  owner.kind === kind.kind && groupOf(owner.apiVersion) === groupOf(kind.apiVersion)

function replicasOf(object: o.KubeObject | undefined, { uid }: o.OwnerReference): Scaled | undefined {
  if (object?.metadata.uid !== uid) return undefined
  return { uid, replicas: (object as unknown as { spec: { replicas?: number } }).spec.replicas ?? 0 }
}

/** Asks the API server for the `scale` subresource. Follows getScaleController. */
function* liveScale(owner: o.OwnerReference, key: string, kube: Kube): Task<Scaled | undefined> {
  const kind = kindOf(owner)
  try {
    const { metadata, spec } = yield* kube.readScale(kind, key)
    return metadata.uid === owner.uid ? { uid: owner.uid, replicas: spec.replicas } : undefined
  } catch (error) {
    if (!(error instanceof ApiError) || !isApiError(error, 'NotFound')) throw error
    if (!error.message.includes('the requested resource')) return undefined
    const undeclared = yield* undeclaredScale(kind, owner, key, kube)
    if (undeclared) return undeclared
    throw new CountError(`${kind.id} does not implement the scale subresource`)
  }
}

/** A custom resource without a definition, which no real cluster has: its `spec.replicas`, where nearly all keep their scale. */
function* undeclaredScale(kind: Kind, owner: o.OwnerReference, key: string, kube: Kube): Task<Scaled | undefined> {
  const group = groupOf(kind.apiVersion)
  const custom = group.includes('.') && !group.endsWith('.k8s.io')
  if ((!custom && !group.startsWith('leaderworkerset.')) || kube.get(CustomResourceDefinition, kind.id))
    return undefined
  const object = (yield* kube.read(kind, key)) as o.OtherObject
  const { replicas } = (object.spec ?? {}) as { replicas?: unknown }
  return object.metadata.uid === owner.uid && typeof replicas === 'number' ? { uid: owner.uid, replicas } : undefined
}
