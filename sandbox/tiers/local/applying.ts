import { isApiError } from '../../kube/errors.ts'
import { type Kind, keyOf } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Draft, KubeObject } from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'

/**
 * The client of whoever applies manifests: an object that the cluster came with, or that was prepared for it, takes what the manifest says,
 * as `kubectl apply` would have it.
 */
export function applying(kube: Kube, isPrepared: (kind: Kind, key: string) => boolean): Kube {
  function* create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>): Task<T> {
    try {
      return yield* kube.create(kind, object)
    } catch (error) {
      const { name, namespace } = object.metadata as { name: string; namespace?: string }
      const key = keyOf({ metadata: { name, ...(kind.namespaced ? { namespace: namespace ?? 'default' } : {}) } })
      if (!isApiError(error, 'AlreadyExists') || !isPrepared(kind, key)) throw error
      return yield* kube.patch(kind, key, object)
    }
  }
  return new Proxy(kube, {
    get(target, name) {
      if (name === 'create') return create
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
