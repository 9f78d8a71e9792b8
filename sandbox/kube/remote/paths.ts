import { type Kind, splitKey } from '../kinds.ts'

const groupPath = (kind: Kind): string => `${kind.apiVersion.includes('/') ? '/apis/' : '/api/'}${kind.apiVersion}`

/** Where a kind's objects are: all of them, or those of a namespace. */
export const collectionPath = (kind: Kind, namespace?: string): string =>
  kind.namespaced && namespace !== undefined
    ? `${groupPath(kind)}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
    : `${groupPath(kind)}/${kind.plural}`

/** Where one object is, by its key. */
export function objectPath(kind: Kind, key: string, subresource?: string): string {
  const { namespace, name } = splitKey(key)
  const path = `${collectionPath(kind, kind.namespaced ? (namespace ?? 'default') : undefined)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}
