import { equal } from '../../journal/merge-patch.ts'
import { isApiError } from '../../kube/errors.ts'
import type { DeleteOptions, Kube } from '../../kube/kube.ts'
import type { KubeObject, OwnerReference } from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import type { GraphNode } from './graph.ts'

export const keyOfNode = ({ namespace, name }: GraphNode): string => (namespace ? `${namespace}/${name}` : name)

/** The object as the server has it; undefined when it is gone or another has its name. */
export function* live(kube: Kube, node: GraphNode): Task<KubeObject | undefined> {
  try {
    const object = yield* kube.read(node.kind, keyOfNode(node))
    return object.metadata.uid === node.uid ? object : undefined
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}

/**
 * Deletes the object if it is still as it was read; one that changed without changing hands is deleted all the same.
 * Follows deleteObject in pkg/controller/garbagecollector/operations.go.
 */
export function* deleteAsRead(
  kube: Kube,
  node: GraphNode,
  latest: KubeObject,
  propagationPolicy: DeleteOptions['propagationPolicy'],
): Task {
  const { uid, resourceVersion, ownerReferences } = latest.metadata
  try {
    yield* kube.delete(node.kind, keyOfNode(node), { uid, resourceVersion, propagationPolicy })
  } catch (error) {
    if (!isApiError(error, 'Conflict')) throw error
    const now = yield* live(kube, node)
    if (!now) return
    if (!equal(now.metadata.ownerReferences, ownerReferences)) throw error
    yield* kube.delete(node.kind, keyOfNode(node), { uid, propagationPolicy })
  }
}

/** Rewrites the object's owner references as the server has them. Nothing happens to one that is gone. */
export function* patchOwners(
  kube: Kube,
  node: GraphNode,
  change: (owners: readonly OwnerReference[]) => readonly OwnerReference[],
): Task {
  const latest = yield* live(kube, node)
  if (!latest) return
  const owners = change(latest.metadata.ownerReferences ?? [])
  const { uid, resourceVersion } = latest.metadata
  const ownerReferences = owners.length > 0 ? owners : null
  yield* kube.patch(node.kind, keyOfNode(node), { metadata: { uid, resourceVersion, ownerReferences } })
}

/** Tries of a read and a write that must agree: client-go's retry.DefaultBackoff has four steps. */
const TRIES = 4

/** Takes a finalizer off. Follows removeFinalizer in operations.go. */
export function* removeFinalizer(kube: Kube, node: GraphNode, finalizer: string): Task {
  for (let tries = 1; ; tries++) {
    const latest = yield* live(kube, node)
    const { finalizers = [], resourceVersion } = latest?.metadata ?? {}
    if (!finalizers.includes(finalizer)) return
    const left = finalizers.filter((f) => f !== finalizer)
    try {
      yield* kube.patch(node.kind, keyOfNode(node), {
        metadata: { resourceVersion, finalizers: left.length > 0 ? left : null },
      })
      return
    } catch (error) {
      if (isApiError(error, 'NotFound')) return
      if (!isApiError(error, 'Conflict') || tries === TRIES) throw error
    }
  }
}
