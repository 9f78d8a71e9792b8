import { canonical } from '../journal/record.ts'
import { type Kind, keyOf, kindOf } from '../kube/kinds.ts'
import type { KubeObject, ObjectMeta } from '../kube/objects.ts'
import type { Store } from './store.ts'
import { threeWay } from './three-way.ts'

/** A manifest as a file holds it. */
export type Manifest = { apiVersion: string; kind: string; metadata: Partial<ObjectMeta> & { name: string } }

export interface Applied {
  readonly object: KubeObject
  /** As `kubectl apply` reports it. */
  readonly action: 'created' | 'configured' | 'unchanged'
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * What `kubectl apply -f` does in effect: creates, or changes what the manifest says and removes what an earlier apply said and
 * this one does not; what others have set stays. Fails as create and update do.
 * Follows k8s.io/kubectl/pkg/cmd/apply/{apply,patcher}.go and k8s.io/kubectl/pkg/util/apply.go.
 */
export function apply(store: Store, manifest: Manifest, by: string): Applied {
  const kind = kindOf(manifest) as Kind<KubeObject>
  const modified = annotated(kind, manifest)
  const live = store.peek(kind, keyOf(modified))
  if (!live) return { object: store.create(kind, modified as never, by), action: 'created' }
  const original = lastApplied(live)
  const merged = threeWay({ original, modified, live, lists: isBuiltIn(kind) ? 'by key' : 'whole' }) as KubeObject
  const { resourceVersion } = live.metadata
  const asked = { ...merged, metadata: { ...merged.metadata, resourceVersion, uid: live.metadata.uid } }
  const object = store.update(kind, asked, by)
  return { object, action: object === live ? 'unchanged' : 'configured' }
}

/** The manifest with the namespace it goes to and, as an annotation, itself. */
function annotated(kind: Kind, manifest: Manifest): Manifest {
  const { namespace: given, annotations: all = {}, ...rest } = manifest.metadata
  const { [LAST_APPLIED]: _, ...annotations } = all
  const namespace = kind.namespaced ? { namespace: given || 'default' } : {}
  const plain = { ...manifest, metadata: { ...rest, ...namespace, annotations } }
  const text = `${canonical(plain)}\n`
  return { ...plain, metadata: { ...plain.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } }
}

function lastApplied(live: KubeObject): unknown {
  const text = live.metadata.annotations?.[LAST_APPLIED]
  return text === undefined ? undefined : JSON.parse(text)
}

/** Built-in kinds are patched by their schema's merge keys; custom resources by JSON merge patch. */
function isBuiltIn({ apiVersion }: Kind): boolean {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return !group.includes('.') || group.endsWith('.k8s.io')
}
