import type { Peer } from '../../../sandbox/network/network-policy.ts'
import { valueAt } from '../path.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { isMap, podTemplatesOf } from './pod-templates.ts'

/** A peer whose namespace and labels the manifests tell. */
export type KnownPeer = Required<Pick<Peer, 'namespace' | 'labels'>>

/** The labels of the first workload whose containers run such an image. */
export function peerWith(platform: Platform, image: RegExp): KnownPeer | undefined {
  for (const object of platform.objects)
    for (const { spec, labels } of podTemplatesOf(object))
      if (spec.containers.some((container) => image.test(container.image ?? '')))
        return { namespace: namespaceOf(object), labels }
  return undefined
}

/** The pods of Prometheus: those a Prometheus object makes prometheus-operator run, or a workload of its image. */
export function prometheusPeer(platform: Platform): KnownPeer | undefined {
  const object = platform.objects.find(
    ({ manifest }) => manifest.kind === 'Prometheus' && groupOf(manifest.apiVersion) === 'monitoring.coreos.com',
  )
  return object ? operatedPeer(object) : peerWith(platform, /(^|\/)prometheus([:@]|$)/)
}

/** KEDA's operator, which asks Prometheus. */
export const kedaPeer = (platform: Platform): KnownPeer | undefined => peerWith(platform, /(^|\/)keda([:@]|$)/)

export const adapterPeer = (platform: Platform): KnownPeer | undefined =>
  peerWith(platform, /(^|\/)prometheus-adapter([:@]|$)/)

// follows makeStatefulSetSpec of prometheus-operator's pkg/prometheus/server/statefulset.go
function operatedPeer(object: PlatformObject): KnownPeer {
  const { name } = object.manifest.metadata
  const own = valueAt(object.manifest, 'spec.podMetadata.labels')
  return {
    namespace: namespaceOf(object),
    labels: {
      ...(isMap(own) ? (own as Record<string, string>) : {}),
      'app.kubernetes.io/name': 'prometheus',
      'app.kubernetes.io/managed-by': 'prometheus-operator',
      'app.kubernetes.io/instance': name,
      'operator.prometheus.io/name': name,
      prometheus: name,
    },
  }
}
