import { describe, expect, it } from 'vitest'
import type { NetworkPolicy } from '../kube/objects.ts'
import { egressVerdict, ingressVerdict, opensTo, type Peer } from './network-policy.ts'

const POD = { namespace: 'prod', labels: { app: 'chat' }, ports: [{ name: 'http', containerPort: 8000 }] }

const policy = (ingress: NetworkPolicy['spec']['ingress'], more: Partial<NetworkPolicy['spec']> = {}): NetworkPolicy =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace: 'prod' },
    spec: { podSelector: { matchLabels: { app: 'chat' } }, ...(ingress ? { ingress } : {}), ...more },
  }) as NetworkPolicy

const verdict = (policies: NetworkPolicy[], peer: Peer = {}, port = 8000) => ingressVerdict(policies, POD, peer, port)

it('leaves pods alone that no policy selects for ingress', () => {
  expect(verdict([])).toBe('allowed')
  expect(verdict([policy(undefined, { podSelector: { matchLabels: { app: 'other' } } })])).toBe('allowed')
  expect(verdict([policy(undefined, { policyTypes: ['Egress'] })])).toBe('allowed')
  expect(verdict([{ ...policy(undefined), metadata: { name: 'p', namespace: 'x' } } as NetworkPolicy])).toBe('allowed')
})

it('denies what no rule allows, but never the kubelet', () => {
  expect(verdict([policy(undefined)])).toBe('denied')
  expect(verdict([policy([])])).toBe('denied')
  expect(verdict([policy([])], { kubelet: true })).toBe('allowed')
  expect(verdict([policy([]), policy([{}])])).toBe('allowed')
  expect(verdict([policy(undefined, { podSelector: {} })])).toBe('denied')
})

it('knows ports by number, range, name and protocol', () => {
  const on = (port: object) => verdict([policy([{ ports: [port] }])])
  expect(on({ port: 8000 })).toBe('allowed')
  expect(on({ port: 'http' })).toBe('allowed')
  expect(on({ port: 'grpc' })).toBe('denied')
  expect(on({ port: 7000, endPort: 9000 })).toBe('allowed')
  expect(on({ port: 8000, protocol: 'UDP' })).toBe('denied')
})

it('knows peers by namespace and labels, together where both are given', () => {
  const from = (peer: object, who: Peer) => verdict([policy([{ from: [peer] }])], who)
  const edge = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }
  expect(from(edge, { namespace: 'ingress-nginx' })).toBe('allowed')
  expect(from(edge, { namespace: 'prod' })).toBe('denied')
  expect(from({ ...edge, podSelector: { matchLabels: { a: 'b' } } }, { namespace: 'ingress-nginx', labels: {} })).toBe(
    'denied',
  )
  expect(from({ podSelector: {} }, { namespace: 'prod' })).toBe('allowed')
  expect(from({ podSelector: {} }, { namespace: 'x' })).toBe('denied')
})

it('says when it depends on what is not known', () => {
  const from = (peer: object, who: Peer) => verdict([policy([{ from: [peer] }])], who)
  expect(from({ podSelector: { matchLabels: { a: 'b' } } }, {})).toBe('unknown')
  expect(from({ podSelector: { matchLabels: { a: 'b' } } }, { namespace: 'x' })).toBe('denied')
  expect(from({ namespaceSelector: { matchLabels: { team: 'a' } } }, { namespace: 'x' })).toBe('unknown')
  expect(
    from({ namespaceSelector: { matchLabels: { team: 'a' } } }, { namespace: 'x', namespaceLabels: { team: 'a' } }),
  ).toBe('allowed')
  expect(from({ ipBlock: { cidr: '10.0.0.0/8' } }, { namespace: 'prod' })).toBe('unknown')
  expect(from({ ipBlock: { cidr: '0.0.0.0/0' } }, {})).toBe('allowed')
})

describe('egress', () => {
  const FROM = { namespace: 'keda', labels: { app: 'keda' } }
  const out = (egress: NetworkPolicy['spec']['egress'], more: Partial<NetworkPolicy['spec']> = {}): NetworkPolicy => ({
    ...policy(undefined, { podSelector: {}, policyTypes: ['Egress'], ...(egress ? { egress } : {}), ...more }),
    metadata: { name: 'p', namespace: 'keda' } as NetworkPolicy['metadata'],
  })
  const to = (...policies: NetworkPolicy[]) => egressVerdict(policies, FROM, POD, 8000)

  it('confines only pods a policy selects for it: by its types, or by having rules', () => {
    expect(to()).toBe('allowed')
    expect(to(out([], { policyTypes: ['Ingress'] }))).toBe('allowed')
    expect(to({ ...out([]), metadata: { name: 'p', namespace: 'other' } as NetworkPolicy['metadata'] })).toBe('allowed')
    expect(to(out(undefined))).toBe('denied')
    const { policyTypes: _, ...spec } = out([]).spec
    expect(to({ ...out([]), spec })).toBe('denied')
  })

  it('goes where a rule of any policy lets it', () => {
    const where = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })
    expect(to(out([{ to: [where('prod')], ports: [{ port: 8000 }] }]))).toBe('allowed')
    expect(to(out([{ to: [where('prod')], ports: [{ port: 9000 }] }]))).toBe('denied')
    expect(
      to(
        out([{ to: [where('dev')] }]),
        out([{ to: [{ ...where('prod'), podSelector: { matchLabels: { app: 'chat' } } }] }]),
      ),
    ).toBe('allowed')
    expect(to(out([{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }]))).toBe('unknown')
  })

  it('is open to the world by a rule without peers or with all addresses', () => {
    expect(opensTo([out([{}])], 443)).toBe(true)
    expect(opensTo([out([{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 443 }] }])], 443)).toBe(true)
    expect(opensTo([out([{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }])], 443)).toBe(false)
    expect(opensTo([out([{ ports: [{ port: 53 }] }])], 443)).toBe(false)
  })
})
