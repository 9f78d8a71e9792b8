import { kindOf, Namespace } from '../../kube/kinds.ts'
import type { Draft, KubeObject } from '../../kube/objects.ts'

/** What an empty real cluster lacks before objects can be applied to it: it is there in the cluster they are meant for. */
export interface Preparations {
  /** Besides those every cluster has. */
  readonly namespaces: readonly string[]
  /** `namespace/name` of accounts that pods run as. */
  readonly serviceAccounts: readonly string[]
}

const OF_EVERY_CLUSTER = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

export function preparationsFor(objects: readonly Draft<KubeObject>[]): Preparations {
  const namespaces = new Set<string>()
  const serviceAccounts = new Set<string>()
  for (const object of objects) {
    const kind = kindOf(object)
    const { name, namespace = 'default' } = object.metadata as { name: string; namespace?: string }
    if (kind.id === Namespace.id) namespaces.add(name)
    if (!kind.namespaced) continue
    namespaces.add(namespace)
    for (const account of accountsIn(object)) if (account !== 'default') serviceAccounts.add(`${namespace}/${account}`)
  }
  return {
    namespaces: [...namespaces].filter((name) => !OF_EVERY_CLUSTER.has(name)),
    serviceAccounts: [...serviceAccounts],
  }
}

/** Names of the accounts that pods of the object run as. */
function* accountsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value))
    if (key === 'serviceAccountName' && typeof inner === 'string' && inner !== '') yield inner
    else yield* accountsIn(inner)
}
