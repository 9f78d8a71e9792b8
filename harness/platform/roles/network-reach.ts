import { Namespace, NetworkPolicy } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import {
  both,
  confines,
  egressVerdict,
  type Guarded,
  ingressVerdict,
  isolates,
  type Peer,
  type Verdict,
} from '../../../sandbox/network/network-policy.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { manifestReader } from './manifest-reader.ts'
import { peerWith, prometheusPeer } from './network-peers.ts'

/** Who has to reach a server's pods, and whether NetworkPolicies let them. Kubelets are never stopped. */
export interface NetworkReach {
  /** Clients, or the gateway they come by. */
  readonly clients: Verdict
  /** Prometheus, at the server's own port. */
  readonly scrapes: Verdict
  /** The policies that say who may connect to the pods. Empty: nothing is decided here. */
  readonly policies: readonly PlatformObject[]
  /** The policies that say where the pods may connect to. */
  readonly confining: readonly PlatformObject[]
}

/**
 * Judges the NetworkPolicies among the manifests by what they say of the server's port, and of what those who connect to it may. Where
 * a gateway's or Prometheus' pods are not among the manifests, and a policy asks who they are, the answer is `unknown`.
 */
export function networkReachOf<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  { point, port }: { point: EntryPoint | undefined; port: number },
): NetworkReach {
  const pod = guardedOf(server)
  const judge = judgeOf(platform)
  const all = manifestReader(platform).list(NetworkPolicy)
  const among = (policies: readonly o.NetworkPolicy[]) => objectsOf(platform, policies)
  return {
    clients: judge(clientPeer(platform, point), pod, port),
    scrapes: judge(prometheusPeer(platform) ?? {}, pod, port),
    policies: among(all.filter((policy) => isolates(policy, pod))),
    confining: among(all.filter((policy) => confines(policy, pod))),
  }
}

/** Whether all policies of a platform together let a peer connect to a pod's port: those about the one and those about the other. */
export function judgeOf(platform: Platform): (peer: Peer, pod: Guarded, port: number) => Verdict {
  const objects = manifestReader(platform)
  const all = objects.list(NetworkPolicy)
  const labelsOf = (namespace: string) => objects.get(Namespace, namespace)?.metadata.labels
  return (given, pod, port) => {
    const peer = withNamespaceLabels(platform, given)
    const into = ingressVerdict(all, pod, peer, port)
    if (peer.namespace === undefined || peer.labels === undefined) return into
    const namespaceLabels = labelsOf(pod.namespace)
    const to = { ...pod, ...(namespaceLabels ? { namespaceLabels } : {}) }
    return both(into, egressVerdict(all, { namespace: peer.namespace, labels: peer.labels }, to, port))
  }
}

/** The peer with the labels of its namespace, where the manifests tell them. */
export function withNamespaceLabels(platform: Platform, peer: Peer): Peer {
  const { namespace } = peer
  const labels =
    namespace === undefined ? undefined : manifestReader(platform).get(Namespace, namespace)?.metadata.labels
  return labels ? { ...peer, namespaceLabels: labels } : peer
}

const guardedOf = <R>(server: InferenceServerRole<R>): Guarded => ({
  namespace: namespaceOf(server.object),
  labels: server.template.labels,
  ports: (server.container.ports ?? []) as Guarded['ports'],
})

/** The objects that hold these policies. */
export const objectsOf = (platform: Platform, policies: readonly o.NetworkPolicy[]): PlatformObject[] =>
  platform.objects.filter(
    (object) =>
      object.manifest.kind === 'NetworkPolicy' &&
      policies.some(
        ({ metadata }) => metadata.name === object.manifest.metadata.name && metadata.namespace === namespaceOf(object),
      ),
  )

/** Istio makes a Gateway's proxies in its own namespace; others in theirs, by their manifests. */
export function clientPeer(platform: Platform, point: EntryPoint | undefined): Peer {
  if (!point || point.via === 'service') return {}
  if (point.via === 'ingress')
    return peerWith(platform, /ingress-nginx\/controller([:@]|$)/) ?? usualNamespace(point.controller)
  const [namespace] = point.gateway.split('/')
  return point.controller === 'istio.io/gateway-controller' && namespace
    ? { namespace }
    : usualNamespace(point.controller)
}

/** Where charts install controllers that run their proxies beside them. */
function usualNamespace(controller: string): Peer {
  const namespace = {
    'k8s.io/ingress-nginx': 'ingress-nginx',
    'gateway.envoyproxy.io/gatewayclass-controller': 'envoy-gateway-system',
  }[controller]
  return namespace === undefined ? {} : { namespace }
}
