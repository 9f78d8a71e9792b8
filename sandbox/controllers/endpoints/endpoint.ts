import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { isFinished, isReady } from '../../kube/pods.ts'

// follows k8s.io/endpointslice utils.go and util/controller_utils.go

export type EndpointPorts = o.EndpointSlice['ports']

/** Whether a pod has a place in the slices of Services that select it: it has an address and has not finished. */
export const belongs = (pod: o.Pod): boolean =>
  !isFinished(pod) && Boolean(pod.status.podIP || (pod.status.podIPs ?? []).length > 0)

/** A pod as an endpoint of a Service. A pod being deleted is not ready, but serves while it says that it is ready. */
export function endpointOf(pod: o.Pod, node: o.Node | undefined, service: o.Service): o.Endpoint {
  const serving = isReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = Boolean(service.spec.publishNotReadyAddresses) || (serving && !terminating)
  const zone = node && zoneOf(node)
  const { hostname, subdomain, nodeName } = pod.spec
  const { namespace, name, uid } = pod.metadata
  return {
    addresses: addressesOf(pod),
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
  }
}

export const zoneOf = ({ metadata }: o.Node): string | undefined => metadata.labels?.['topology.kubernetes.io/zone']

const addressesOf = ({ status }: o.Pod): string[] => {
  const ips = status.podIPs?.map(({ ip }) => ip) ?? (status.podIP ? [status.podIP] : [])
  return ips.filter((ip) => !ip.includes(':'))
}

/** The Service's ports as this pod has them; a named target that no container declares is left out. */
export function endpointPorts(service: o.Service, pod: o.Pod): EndpointPorts {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(pod, servicePort)
    if (port === undefined) return []
    const { name = '', protocol, appProtocol } = servicePort
    return [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

/** A name is looked for in the containers, then in the sidecars. Follows FindPort. */
function targetPort({ spec }: o.Pod, { targetPort: target, protocol }: o.ServicePort): number | undefined {
  if (typeof target === 'number') return target
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  for (const container of [...spec.containers, ...sidecars])
    for (const port of container.ports ?? [])
      if (port.name === target && (port.protocol ?? 'TCP') === protocol) return port.containerPort
  return undefined
}

const identities = new WeakMap<o.Endpoint, string>()

/** Endpoints are the same one when their addresses, host name and pod are. Follows util/endpointset.go. */
export function identityOf(endpoint: o.Endpoint): string {
  let identity = identities.get(endpoint)
  if (identity === undefined) {
    const { addresses, hostname = '', targetRef } = endpoint
    identity = [[...addresses].sort().join(), hostname, targetRef?.namespace, targetRef?.name, targetRef?.uid].join('|')
    identities.set(endpoint, identity)
  }
  return identity
}

/** Whether one identity's endpoint is as it was. Follows EndpointsEqualBeyondHash. */
export const unchanged = (a: o.Endpoint, b: o.Endpoint): boolean =>
  a.nodeName === b.nodeName && a.zone === b.zone && equal(a.conditions, b.conditions) && equal(a.targetRef, b.targetRef)

/** Whether a change of a pod may change its endpoints, apart from its labels. Follows podEndpointsChanged. */
export const endpointChanged = (before: o.Pod, after: o.Pod): boolean =>
  before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
  isReady(before) !== isReady(after) ||
  !equal(before.status.podIPs, after.status.podIPs)

/** Whether other Services may select the pod now, or name it otherwise. */
export const placeChanged = (before: o.Pod, after: o.Pod): boolean =>
  !equal(before.metadata.labels, after.metadata.labels) ||
  before.spec.hostname !== after.spec.hostname ||
  before.spec.subdomain !== after.spec.subdomain
