import { equal } from '../journal/merge-patch.ts'
import { controllerOf } from '../kube/indexes.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { KubeObject, LabelSelector } from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import type { ControllerContext, Watch } from './controller.ts'

type Owner = KubeObject & { spec: { selector: LabelSelector } }

/**
 * Objects controlled by a primary: their controller's key is queued, and creations and deletions it waits for are noted. An
 * object nobody controls queues those that might adopt it. `changed` sees each change of an object that stays with its owner.
 * Follows addPod, updatePod and deletePod in pkg/controller/replicaset/replica_set.go, and their twins in
 * pkg/controller/deployment/deployment_controller.go.
 */
export const owned =
  <T extends KubeObject, O extends Owner>(
    kind: Kind<T>,
    owner: Kind<O>,
    changed?: (context: ControllerContext, owner: O, before: T, after: T) => void,
  ): Watch =>
  (context) => {
    const { kube, queue, expectations } = context
    const resolve = (object: T) => controllerIn(context, owner, object)
    const deleted = (object: T) => {
      const found = resolve(object)
      if (!found) return
      expectations.deletionObserved(keyOf(found), keyOf(object))
      queue.add(keyOf(found))
    }
    const orphaned = (object: T) => {
      for (const candidate of adopters(context, owner, object)) queue.add(keyOf(candidate))
    }
    kube.watch(kind, {
      added(object) {
        // one that arrives already being deleted is a deletion seen, not a creation
        if (object.metadata.deletionTimestamp) return deleted(object)
        if (!controllerOf(object)) return orphaned(object)
        const found = resolve(object)
        if (!found) return
        expectations.creationObserved(keyOf(found))
        queue.add(keyOf(found))
      },
      updated(before, after) {
        const relabelled = differ(before.metadata.labels, after.metadata.labels)
        if (after.metadata.deletionTimestamp) {
          deleted(after)
          if (relabelled) deleted(before)
          return
        }
        const refBefore = controllerOf(before)
        const ref = controllerOf(after)
        const changedHands = differ(refBefore, ref)
        if (changedHands && refBefore) {
          const previous = resolve(before)
          if (previous) queue.add(keyOf(previous))
        }
        if (!ref) {
          if (relabelled || changedHands) orphaned(after)
          return
        }
        const found = resolve(after)
        if (!found) return
        queue.add(keyOf(found))
        changed?.(context, found, before, after)
      },
      deleted,
    })
  }

const differ = (a: unknown, b: unknown): boolean => a !== b && !equal(a, b)

/** The object that controls this one, if the cache has it: the same name with another uid is another object. */
export function controllerIn<O extends KubeObject>(
  { kube }: ControllerContext,
  kind: Kind<O>,
  object: KubeObject,
): O | undefined {
  const ref = controllerOf(object)
  if (ref?.kind !== kind.kind) return undefined
  const found = kube.get(kind, kind.namespaced ? `${object.metadata.namespace}/${ref.name}` : ref.name)
  return found?.metadata.uid === ref.uid ? found : undefined
}

function adopters<O extends Owner>({ kube }: ControllerContext, kind: Kind<O>, object: KubeObject): readonly O[] {
  const { labels, namespace } = object.metadata
  if (!labels || Object.keys(labels).length === 0) return []
  return kube.list(kind, { namespace }).filter(({ spec }) => !isEmpty(spec.selector) && selects(spec.selector, labels))
}

const isEmpty = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0
