import { ApiError } from '../../kube/errors.ts'
import { type Kind, keyOf, kindOf, Pod, ScaledObject } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import { parseSelector } from '../../kube/selector-text.ts'
import type { Task } from '../../world/actor.ts'
import { KedaError } from './errors.ts'

/** What a ScaledObject scales: a Deployment unless it says otherwise. */
// follows apis/keda/v1alpha1/gvkr.go and pkg/scaling/resolver/scale_resolvers.go
export interface Target {
  readonly kind: Kind
  readonly key: string
  /** `apps/v1.Deployment`. */
  readonly gvk: string
  readonly gvkr: NonNullable<o.ScaledObjectStatus['scaleTargetGVKR']>
}

export function targetOf({ metadata, spec }: o.ScaledObject): Target {
  const { name, apiVersion = 'apps/v1', kind: kindName = 'Deployment' } = spec.scaleTargetRef
  const kind = kindOf({ apiVersion: apiVersion || 'apps/v1', kind: kindName || 'Deployment' })
  const [group, version] = kind.apiVersion.includes('/') ? kind.apiVersion.split('/') : ['', kind.apiVersion]
  return {
    kind,
    key: `${metadata.namespace}/${name}`,
    gvk: `${kind.apiVersion}.${kind.kind}`,
    gvkr: { group: group!, version: version!, kind: kind.kind, resource: kind.plural },
  }
}

/** `Deployment.apps "web" not found`, as a cached client says it. */
export const missingTarget = ({ kind, gvkr }: Target, name: string): KedaError =>
  new KedaError(`${gvkr.group ? `${kind.kind}.${gvkr.group}` : kind.kind} "${name}" not found`)

/** The target in the cache. Throws a KedaError when it is not there. */
export function cachedTarget(object: o.ScaledObject, kube: Kube): o.KubeObject {
  const target = targetOf(object)
  const found = kube.get(target.kind, target.key)
  if (!found) throw missingTarget(target, object.spec.scaleTargetRef.name)
  return found
}

/** The replicas the target asks for, from the cache. Throws a KedaError. */
export function currentReplicas(object: o.ScaledObject, kube: Kube): number {
  const known = object.status?.scaleTargetGVKR ?? kube.get(ScaledObject, keyOf(object))?.status?.scaleTargetGVKR
  if (!known)
    throw new KedaError('failed to get ScaledObject.Status.ScaleTargetGVKR, probably invalid ScaledObject cache')
  return (cachedTarget(object, kube) as o.KubeObject & { spec?: { replicas?: number } }).spec?.replicas ?? 1
}

/** Pods of the target that run and are ready. Throws a KedaError or an ApiError. */
// follows pkg/fallback/fallback.go getReadyReplicasCount
export function* readyReplicas(object: o.ScaledObject, kube: Kube): Task<number> {
  const target = targetOf(object)
  if (!object.status?.scaleTargetGVKR) throw new KedaError('')
  const scale = yield* kube.readScale(target.kind, target.key)
  const selector = parseSelector(scale.status.selector ?? '')
  return kube
    .list(Pod, { namespace: object.metadata.namespace })
    .filter((pod) => selector.matches(pod.metadata.labels) && pod.status.phase === 'Running' && isReady(pod)).length
}

/** Sets the target's replicas by way of its scale; gives what they were. Fails with an ApiError. */
export function* scaleTarget(object: o.ScaledObject, replicas: number, kube: Kube): Task<number> {
  const target = targetOf(object)
  const scale = yield* kube.readScale(target.kind, target.key)
  yield* kube.updateScale(target.kind, { ...scale, spec: { replicas } })
  return scale.spec.replicas
}

/** The text of an error of KEDA or of the API server; rethrows a bug. */
export function textOf(error: unknown): string {
  if (error instanceof KedaError || error instanceof ApiError) return error.message
  throw error
}
