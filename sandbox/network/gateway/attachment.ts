import { type Kind, Namespace, ReferenceGrant } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { selects } from '../../kube/selects.ts'

/** Reads of a cluster, or of manifests that would be applied to one. */
export interface ObjectReader {
  get<T extends o.KubeObject>(kind: Kind<T>, key: string): T | undefined
  list<T extends o.KubeObject>(kind: Kind<T>): readonly T[]
}

const GROUP = 'gateway.networking.k8s.io'

/** The parent references of a route that name a Gateway. */
export const parentsOf = (route: o.HTTPRoute, gateway: o.Gateway): o.ParentReference[] =>
  (route.spec.parentRefs ?? []).filter(
    (parent) =>
      (parent.group ?? GROUP) === GROUP &&
      (parent.kind ?? 'Gateway') === 'Gateway' &&
      parent.name === gateway.metadata.name &&
      (parent.namespace ?? route.metadata.namespace ?? 'default') === (gateway.metadata.namespace ?? 'default'),
  )

/** Whether a route is attached to a listener: one of its references names it, and the listener lets it in. */
export function attaches(
  route: o.HTTPRoute,
  listener: o.GatewayListener,
  { gateway, objects }: { gateway: o.Gateway; objects: ObjectReader },
): boolean {
  const named = parentsOf(route, gateway).some(
    ({ sectionName, port }) =>
      (sectionName === undefined || sectionName === listener.name) && (port === undefined || port === listener.port),
  )
  if (!named || !takesHttp(listener)) return false
  const { kinds, namespaces } = listener.allowedRoutes ?? {}
  if (kinds && kinds.length > 0 && !kinds.some((one) => (one.group ?? GROUP) === GROUP && one.kind === 'HTTPRoute'))
    return false
  const from = route.metadata.namespace ?? 'default'
  switch (namespaces?.from ?? 'Same') {
    case 'All':
      return true
    case 'Same':
      return from === (gateway.metadata.namespace ?? 'default')
    case 'Selector':
      return selects(namespaces?.selector, labelsOfNamespace(from, objects))
    default:
      return false
  }
}

/** HTTPS that is not ended here carries no requests that a proxy could read. */
export const takesHttp = ({ protocol, tls }: o.GatewayListener): boolean =>
  protocol === 'HTTP' || (protocol === 'HTTPS' && tls?.mode !== 'Passthrough')

/** Every namespace has its name as a label. */
export const labelsOfNamespace = (name: string, objects: ObjectReader): Record<string, string> => ({
  'kubernetes.io/metadata.name': name,
  ...objects.get(Namespace, name)?.metadata.labels,
})

/** The host names of a route that a listener serves, the route's where they are the narrower. `['']`: any. Empty: none in common. */
export function sharedHostnames(listener: string | undefined, route: readonly string[] = []): string[] {
  if (route.length === 0) return [listener ?? '']
  if (!listener) return [...route]
  return route.flatMap((name) => {
    if (name === listener) return [name]
    if (name.startsWith('*.')) return covers(name, listener) ? [listener] : covers(listener, name) ? [name] : []
    return covers(listener, name) ? [name] : []
  })
}

/** Whether a wildcard name stands for everything another name does. */
const covers = (wildcard: string, name: string): boolean =>
  wildcard.startsWith('*.') && name.replace(/^\*/, '').endsWith(wildcard.slice(1)) && name.length > wildcard.length - 1

/** Whether an object of `from` may refer to one of another namespace: some ReferenceGrant there says so. */
export function granted(
  objects: ObjectReader,
  from: { kind: string; namespace: string },
  to: { group: string; kind: string; namespace: string; name: string },
): boolean {
  if (from.namespace === to.namespace) return true
  return objects
    .list(ReferenceGrant)
    .some(
      (grant) =>
        (grant.metadata.namespace ?? 'default') === to.namespace &&
        grant.spec.from.some(
          (one) => one.group === GROUP && one.kind === from.kind && one.namespace === from.namespace,
        ) &&
        grant.spec.to.some(
          (one) => one.group === to.group && one.kind === to.kind && (one.name === undefined || one.name === to.name),
        ),
    )
}
