import { Namespace, NetworkPolicy, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import { both, egressVerdict, type Guarded, ingressVerdict, type Peer } from './network-policy.ts'

/** Whether the NetworkPolicies of now let a peer through to a pod's port, by `namespace/name`. What they leave open is let through. */
export function policed(kube: Kube, peer: Peer): (podKey: string, port: number) => boolean {
  kube.watch(NetworkPolicy, {})
  kube.watch(Pod, {})
  kube.watch(Namespace, {})
  return (podKey, port) => {
    const policies = kube.list(NetworkPolicy)
    const pod = policies.length > 0 ? kube.get(Pod, podKey) : undefined
    if (!pod) return true
    const { namespace = '', labels = {} } = pod.metadata
    const guarded: Guarded = { namespace, labels, ports: pod.spec.containers.flatMap(({ ports }) => ports ?? []) }
    const into = ingressVerdict(policies, guarded, peer, port)
    if (peer.namespace === undefined || peer.labels === undefined) return into !== 'denied'
    const namespaceLabels = kube.get(Namespace, namespace)?.metadata.labels
    const to = { ...guarded, ...(namespaceLabels ? { namespaceLabels } : {}) }
    const out = egressVerdict(policies, { namespace: peer.namespace, labels: peer.labels }, to, port)
    return both(into, out) !== 'denied'
  }
}
