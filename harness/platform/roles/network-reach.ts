import { Namespace, NetworkPolicy } from '../../../sandbox/kube/kinds.ts'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import { type Guarded, ingressVerdict, isolates, type Peer } from '../../../sandbox/network/network-policy.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { manifestReader } from './manifest-reader.ts'
import { podTemplatesOf } from './pod-templates.ts'

/** Who has to reach a server's pods, and whether NetworkPolicies let them. Kubelets are never stopped. */
export interface NetworkReach {
  /** Clients, or the gateway they come by. */
  readonly clients: 'allowed' | 'denied' | 'unknown'
  /** Prometheus, at the server's own port. */
  readonly scrapes: 'allowed' | 'denied' | 'unknown'
  /** The policies that isolate the pods. Empty: nothing is decided here. */
  readonly policies: readonly PlatformObject[]
}

/**
 * Judges the NetworkPolicies among the manifests by what they say of the server's port. Where a gateway's or Prometheus' pods are not among
 * the manifests, and a policy asks who they are, the answer is `unknown`.
 */
export function networkReachOf<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  { point, port }: { point: EntryPoint | undefined; port: number },
): NetworkReach {
  const objects = manifestReader(platform)
  const namespace = namespaceOf(server.object)
  const pod: Guarded = {
    namespace,
    labels: server.template.labels,
    ports: (server.container.ports ?? []) as Guarded['ports'],
  }
  const all = objects.list(NetworkPolicy)
  const isolating = all.filter((policy) => isolates(policy, pod))
  const known = (peer: Peer): Peer => {
    const labels = peer.namespace === undefined ? undefined : objects.get(Namespace, peer.namespace)?.metadata.labels
    return labels ? { ...peer, namespaceLabels: labels } : peer
  }
  const verdict = (peer: Peer) => ingressVerdict(all, pod, known(peer), port)
  return {
    clients: verdict(clientPeer(platform, point)),
    scrapes: verdict(podsOf(platform, /(^|\/)prometheus([:@]|$)/) ?? {}),
    policies: platform.objects.filter(
      (object) =>
        object.manifest.kind === 'NetworkPolicy' &&
        isolating.some(
          ({ metadata }) =>
            metadata.name === object.manifest.metadata.name && metadata.namespace === namespaceOf(object),
        ),
    ),
  }
}

/** Istio makes a Gateway's proxies in its own namespace; others in theirs, by their manifests. */
export function clientPeer(platform: Platform, point: EntryPoint | undefined): Peer {
  if (!point || point.via === 'service') return {}
  if (point.via === 'ingress')
    return podsOf(platform, /ingress-nginx\/controller([:@]|$)/) ?? usualNamespace(point.controller)
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

/** The labels of the first workload whose containers run such an image. */
function podsOf(platform: Platform, image: RegExp): Peer | undefined {
  for (const object of platform.objects)
    for (const { spec, labels } of podTemplatesOf(object))
      if (spec.containers.some((container) => image.test(container.image ?? '')))
        return { namespace: namespaceOf(object), labels }
  return undefined
}
