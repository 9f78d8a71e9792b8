import { ApiError, conflict, invalid } from '../kube/errors.ts'
import { CustomResourceDefinition, Deployment, type Kind, keyOf, ReplicaSet, StatefulSet } from '../kube/kinds.ts'
import type { KubeObject, LabelSelector, Scale } from '../kube/objects.ts'
import { labelSelector } from '../kube/selectors.ts'
import type { Store } from './store.ts'
import { invalidValue, NEGATIVE } from './validation/field.ts'

/**
 * The `scale` subresource of an object. Fails with NotFound when the object is not there or its kind has no such subresource.
 * Follows pkg/registry/apps/deployment/storage/storage.go ScaleREST and, for custom resources,
 * k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go.
 */
export function readScale(store: Store, kind: Kind, key: string): Scale {
  const paths = pathsOf(store, kind)
  return scaleOf(store.get(kind, key), paths)
}

/** Sets the replicas. Fails with NotFound, with Conflict on another version or uid than the scale's, or with Invalid. */
export function updateScale(store: Store, kind: Kind, scale: Scale, by: string): Scale {
  const paths = pathsOf(store, kind)
  const key = keyOf(scale)
  const object = store.get(kind, key)
  const { uid, resourceVersion, name } = scale.metadata
  const { replicas } = scale.spec
  if (replicas < 0)
    throw invalid({ apiVersion: 'autoscaling/v1', kind: 'Scale' }, name, [
      invalidValue('spec.replicas', replicas, NEGATIVE),
    ])
  if (uid && uid !== object.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`
    throw conflict(kind.id.replace(/(\.|$)/, '/scale$1'), name, why)
  }
  const scaled = withAt(object, paths.specReplicas, replicas) as KubeObject
  const asked = { ...scaled, metadata: { ...object.metadata, resourceVersion } }
  return scaleOf(store.update(kind, asked, by), paths)
}

/** Where an object keeps what its scale shows. Without `selector`, `spec.selector` is it. */
interface ScalePaths {
  readonly specReplicas: readonly string[]
  readonly statusReplicas: readonly string[]
  readonly selector?: readonly string[] | undefined
  readonly custom: boolean
}

const BUILT_IN: ScalePaths = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  custom: false,
}
const SCALABLE: ReadonlySet<string> = new Set([Deployment.id, ReplicaSet.id, StatefulSet.id])

interface ScaleDeclaration {
  specReplicasPath: string
  statusReplicasPath: string
  labelSelectorPath?: string
}

interface CrdVersion {
  name: string
  subresources?: { scale?: ScaleDeclaration }
}

function pathsOf(store: Store, kind: Kind): ScalePaths {
  if (SCALABLE.has(kind.id)) return BUILT_IN
  const spec = store.peek(CustomResourceDefinition, kind.id)?.['spec'] as { versions?: CrdVersion[] } | undefined
  const name = kind.apiVersion.slice(kind.apiVersion.indexOf('/') + 1)
  const scale = spec?.versions?.find((version) => version.name === name)?.subresources?.scale
  if (!scale) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
  return {
    specReplicas: split(scale.specReplicasPath),
    statusReplicas: split(scale.statusReplicasPath),
    selector: scale.labelSelectorPath ? split(scale.labelSelectorPath) : undefined,
    custom: true,
  }
}

const split = (path: string): string[] => path.replace(/^\./, '').split('.')

function scaleOf(object: KubeObject, paths: ScalePaths): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.custom
    ? paths.selector && valueAt(object, paths.selector)
    : labelSelector(valueAt(object, ['spec', 'selector']) as LabelSelector).text
  const status = { replicas: count(object, paths.statusReplicas), ...(selector ? { selector: String(selector) } : {}) }
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(object, paths.specReplicas) },
    status,
  }
}

const count = (object: KubeObject, path: readonly string[]): number =>
  (valueAt(object, path) as number | undefined) ?? 0

function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object
  for (const field of path) value = (value as Record<string, unknown> | undefined)?.[field]
  return value
}

/** A copy with `value` at the path; what is missing on the way is made. */
function withAt(object: unknown, path: readonly string[], value: unknown): unknown {
  const [field, ...rest] = path
  if (field === undefined) return value
  const known = (object ?? {}) as Record<string, unknown>
  return { ...known, [field]: withAt(known[field], rest, value) }
}
