import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'

/** Who connects, as far as it is known. What is not given may be anything. */
export interface Peer {
  /** The kubelet of the pod's own node: no policy stops it. */
  readonly kubelet?: boolean
  readonly namespace?: string
  readonly namespaceLabels?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

/** The pod that is connected to. */
export interface Guarded {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Named ports, for policies that name them. */
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[]
}

/** `unknown`: it depends on what is not known. */
export type Verdict = 'allowed' | 'denied' | 'unknown'

/**
 * Whether policies let a TCP connection into a pod. A pod no policy isolates takes all; an isolated one what any rule of any policy allows.
 * `unknown`: it depends on what is not known of the peer. Follows k8s.io/api/networking/v1/types.go.
 */
export function ingressVerdict(policies: readonly NetworkPolicy[], pod: Guarded, peer: Peer, port: number): Verdict {
  if (peer.kubelet) return 'allowed'
  const isolating = policies.filter((policy) => isolates(policy, pod))
  if (isolating.length === 0) return 'allowed'
  let verdict: Verdict = 'denied'
  for (const policy of isolating)
    for (const { from, ports } of policy.spec.ingress ?? []) {
      if (!takesPort(ports, port, pod)) continue
      const one = fromPeers(from, policy.metadata.namespace ?? 'default', peer)
      if (one === 'allowed') return 'allowed'
      if (one === 'unknown') verdict = 'unknown'
    }
  return verdict
}

/**
 * Whether policies let a pod connect out to another pod. Most that is said of `ingressVerdict` holds the other way round: `unknown` where
 * it depends on what is not known of the pod that is connected to.
 */
export function egressVerdict(
  policies: readonly NetworkPolicy[],
  from: Omit<Guarded, 'ports'>,
  to: Guarded & Pick<Peer, 'namespaceLabels'>,
  port: number,
): Verdict {
  const confining = policies.filter((policy) => confines(policy, from))
  if (confining.length === 0) return 'allowed'
  const verdicts = confining.flatMap((policy) =>
    (policy.spec.egress ?? [])
      .filter(({ ports }) => takesPort(ports, port, to))
      .map((rule) => fromPeers(rule.to, policy.metadata.namespace ?? 'default', to)),
  )
  return verdicts.includes('allowed') ? 'allowed' : verdicts.includes('unknown') ? 'unknown' : 'denied'
}

/** Whether a pod may connect only to what some rule allows. */
export const confines = ({ spec, metadata }: NetworkPolicy, pod: Omit<Guarded, 'ports'>): boolean =>
  (metadata.namespace ?? 'default') === pod.namespace &&
  (spec.policyTypes ?? (spec.egress ? ['Egress'] : [])).includes('Egress') &&
  selects(spec.podSelector ?? {}, { ...pod.labels })

/** Whether a confined pod may connect to a port of any address. */
export const opensTo = (policies: readonly NetworkPolicy[], port: number): boolean =>
  policies.some(({ spec }) =>
    (spec.egress ?? []).some(
      ({ to = [], ports }) =>
        takesPort(ports, port, { ports: [] }) &&
        (to.length === 0 || to.some(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0' && !ipBlock.except?.length)),
    ),
  )

/** The stricter of two answers. */
export const both = (a: Verdict, b: Verdict): Verdict =>
  a === 'denied' || b === 'denied' ? 'denied' : a === 'unknown' || b === 'unknown' ? 'unknown' : 'allowed'

/** Whether a pod takes only what some rule allows. Ingress is among the types even where none is given; an absent or empty pod selector selects every pod. */
export function isolates({ spec, metadata }: NetworkPolicy, pod: Guarded): boolean {
  return (
    (metadata.namespace ?? 'default') === pod.namespace &&
    (spec.policyTypes ?? ['Ingress']).includes('Ingress') &&
    selects(spec.podSelector ?? {}, { ...pod.labels })
  )
}

function takesPort(
  ports: readonly NetworkPolicyPort[] | undefined,
  port: number,
  pod: Pick<Guarded, 'ports'>,
): boolean {
  if (!ports || ports.length === 0) return true
  return ports.some(({ protocol = 'TCP', port: wanted, endPort }) => {
    if (protocol !== 'TCP') return false
    if (wanted === undefined) return true
    if (typeof wanted === 'string') return pod.ports.some((one) => one.name === wanted && one.containerPort === port)
    return port >= wanted && port <= (endPort ?? wanted)
  })
}

function fromPeers(from: readonly NetworkPolicyPeer[] | undefined, namespace: string, peer: Peer): Verdict {
  if (!from || from.length === 0) return 'allowed'
  const verdicts = from.map((one) => fromPeer(one, namespace, peer))
  return verdicts.includes('allowed') ? 'allowed' : verdicts.includes('unknown') ? 'unknown' : 'denied'
}

function fromPeer({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer, own: string, peer: Peer): Verdict {
  // pods' addresses are not known beforehand
  if (ipBlock) return ipBlock.cidr === '0.0.0.0/0' && !ipBlock.except?.length ? 'allowed' : 'unknown'
  const where: Verdict = namespaceSelector
    ? inNamespace(namespaceSelector, peer)
    : peer.namespace === undefined
      ? 'unknown'
      : peer.namespace === own
        ? 'allowed'
        : 'denied'
  const who = podSelector ? matched(podSelector, peer.labels) : 'allowed'
  if (where === 'denied' || who === 'denied') return 'denied'
  return where === 'allowed' && who === 'allowed' ? 'allowed' : 'unknown'
}

const NAME = 'kubernetes.io/metadata.name'

/** A namespace of which only the name is known has at least the label every one has; of others nothing can be said. */
function inNamespace(selector: LabelSelector, { namespace, namespaceLabels }: Peer): Verdict {
  if (namespaceLabels) return matched(selector, { ...namespaceLabels, ...(namespace ? { [NAME]: namespace } : {}) })
  const keys = [...Object.keys(selector.matchLabels ?? {}), ...(selector.matchExpressions ?? []).map(({ key }) => key)]
  const known = namespace !== undefined && keys.every((key) => key === NAME)
  return matched(selector, known ? { [NAME]: namespace } : undefined)
}

function matched(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): Verdict {
  const wants = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length
  if (wants === 0) return 'allowed'
  if (labels === undefined) return 'unknown'
  return selects(selector, { ...labels }) ? 'allowed' : 'denied'
}
