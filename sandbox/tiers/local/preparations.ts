import { kindOf, Namespace } from '../../kube/kinds.ts'
import type { Draft, KubeObject } from '../../kube/objects.ts'

const OF_EVERY_CLUSTER = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

/** The namespaces that an empty cluster lacks for objects to be applied to it: they are there in the cluster they are meant for. */
export function namespacesFor(objects: readonly Draft<KubeObject>[]): string[] {
  const namespaces = new Set<string>()
  for (const object of objects) {
    const kind = kindOf(object)
    const { name, namespace = 'default' } = object.metadata as { name: string; namespace?: string }
    if (kind.id === Namespace.id) namespaces.add(name)
    if (kind.namespaced) namespaces.add(namespace)
  }
  return [...namespaces].filter((name) => !OF_EVERY_CLUSTER.has(name))
}
