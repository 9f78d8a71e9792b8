import type { Kind } from '../../kube/kinds.ts'
import type { Draft, OtherObject } from '../../kube/objects.ts'

/** A kind with every version of it that is asked for. */
type Versions = readonly [first: Kind, ...others: Kind[]]

/**
 * CustomResourceDefinitions of the kinds that an API server does not serve, one for all versions of a kind: any field, and a status of its
 * own. A group without a dot cannot be had and is left out.
 */
export function definitionsOf(kinds: readonly Kind[], isServed: (group: string) => boolean): Draft<OtherObject>[] {
  const byId = new Map<string, Versions>()
  for (const kind of kinds) {
    const group = groupOf(kind)
    if (!group.includes('.') || isServed(group)) continue
    const known = byId.get(kind.id)
    byId.set(kind.id, known ? [...known, kind] : [kind])
  }
  return [...byId.values()].map(definition)
}

export const groupOf = ({ apiVersion }: { apiVersion: string }): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

function definition(versions: Versions): Draft<OtherObject> {
  const [{ id, kind, plural, namespaced }] = versions
  const names = [...new Set(versions.map(({ apiVersion }) => apiVersion.slice(apiVersion.indexOf('/') + 1)))]
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: id,
      // groups of Kubernetes itself want to be asked
      annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for the definition of a cluster' },
    },
    spec: {
      group: groupOf(versions[0]),
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: names.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      })),
    },
  } as Draft<OtherObject>
}
