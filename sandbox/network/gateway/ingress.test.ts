import { describe, expect, it } from 'vitest'
import { NetworkPolicy } from '../../kube/kinds.ts'
import { ms, seconds } from '../../world/time.ts'
import { byIngress, edge, type Upstream } from './testkit.ts'

const CHAT = '/v1/chat/completions'

const ingressOf = (paths: object[], annotations: Record<string, string> = {}, name = 'chat', host?: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    name,
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
    ),
  },
  spec: { ingressClassName: 'nginx', rules: [{ host: host ?? 'chat.example.com', http: { paths } }] },
})

const pathTo = (service: string, path = '/', pathType = 'Prefix') => ({
  path,
  pathType,
  backend: { service: { name: service, port: { number: 80 } } },
})

function fate(upstreams: readonly Upstream[], annotations: Record<string, string> = {}, changes: object = {}) {
  const { apply, fate } = edge({ s: upstreams })
  apply(ingressOf([pathTo('s')], annotations))
  return fate(byIngress(), changes)
}

describe('paths and hosts of Ingresses', () => {
  const taken = (paths: [string, string][], head: object = {}, annotations = {}) => {
    const { apply, share } = edge(Object.fromEntries(paths.map((_, i) => [`s${i}`, [{}]])))
    apply(
      ingressOf(
        paths.map(([path, type], i) => pathTo(`s${i}`, path, type)),
        annotations,
      ),
    )
    return Object.keys(share(byIngress(head), 1))[0]
  }

  it('prefer exact paths to the longest prefix, and take prefixes by whole elements', () => {
    expect(
      taken([
        ['/', 'Prefix'],
        ['/v1', 'Prefix'],
      ]),
    ).toBe('s1')
    expect(
      taken([
        [CHAT, 'Exact'],
        [CHAT, 'Prefix'],
      ]),
    ).toBe('s0')
    expect(taken([['/v', 'Prefix']])).toBe('404')
    expect(taken([['/v', 'ImplementationSpecific']])).toBe('s0')
  })

  it('rewrite with captured groups', () => {
    const annotations = { 'rewrite-target': '/$2', 'use-regex': 'true' }
    const path: [string, string] = ['/llama(/|$)(.*)', 'ImplementationSpecific']
    expect(taken([path], { path: `/llama${CHAT}` }, annotations)).toBe('s0')
    expect(taken([path], { path: `/other${CHAT}` }, annotations)).toBe('404')
  })

  it('take the narrowest host, a wildcard for one label, and a default backend for the rest', () => {
    const { apply, share } = edge({ exact: [{}], wild: [{}], rest: [{}] })
    apply(ingressOf([pathTo('exact')]), ingressOf([pathTo('wild')], {}, 'wild', '*.example.com'), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'rest' },
      spec: { ingressClassName: 'nginx', defaultBackend: { service: { name: 'rest', port: { number: 80 } } } },
    })
    const at = (host: string) => Object.keys(share(byIngress({ host }), 1))[0]
    expect(at('chat.example.com')).toBe('exact')
    expect(at('other.example.com')).toBe('wild')
    expect(at('a.b.example.com')).toBe('rest')
  })
})

describe('ingress-nginx', () => {
  it('cuts an answer that is silent for 60 s, before its first token too', () => {
    const late: Upstream = { tokenAfter: seconds(70), doneAfter: seconds(75) }
    expect(fate([late])).toBe(
      'reset connection reset by peer after 60000ms | Ingress default/chat spec.rules[0].http.paths[0]: idle timeout of 1m00s',
    )
    expect(fate([late], {}, { stream: false })).toMatch(/^http 504 504 Gateway Time-out after 60000ms/)
    expect(fate([late], { 'proxy-read-timeout': '3600' })).toBe('ok after 75000ms')
    // as long as tokens keep coming an answer may take any time
    expect(fate([{ tokenAfter: seconds(50), doneAfter: seconds(100) }])).toBe('ok after 100000ms')
  })

  it('takes what its ConfigMap says unless an Ingress says otherwise', () => {
    const { apply, fate: through } = edge({ s: [{ doneAfter: seconds(200) }] })
    apply(ingressOf([pathTo('s')], { 'proxy-connect-timeout': '2' }))
    expect(through(byIngress({}, { 'proxy-read-timeout': '100' }))).toContain('after 100000ms')
  })

  it('tries another server after a refused connection, and none after a POST has been sent', () => {
    const closed: Upstream = { port: 'closed' }
    const broken: Upstream = { fails: { kind: 'reset', after: ms(5) }, headAfter: ms(50) }
    expect(fate([closed, closed, {}])).toMatch(/^ok/)
    expect(fate([closed, closed, closed, {}])).toMatch(/^http 502 502 Bad Gateway/)
    expect(fate([closed, {}], { 'proxy-next-upstream': 'off' })).toMatch(/^http 502/)
    expect(fate([closed, closed, {}], { 'proxy-next-upstream-tries': '2' })).toMatch(/^http 502/)
    expect(fate([broken, {}])).toBe('http 502 502 Bad Gateway after 5ms')
    expect(fate([broken, {}], { 'proxy-next-upstream': 'error timeout non_idempotent' })).toMatch(/^ok/)
    expect(fate([])).toMatch(/^http 503 503 Service Temporarily Unavailable/)
  })

  it('refuses bodies above proxy-body-size', () => {
    expect(fate([{}], {}, { promptTokens: 300_000 })).toMatch(/^http 413/)
    expect(fate([{}], { 'proxy-body-size': '8m' }, { promptTokens: 300_000 })).toMatch(/^ok/)
    expect(fate([{}], { 'proxy-body-size': '0' }, { promptTokens: 3_000_000 })).toMatch(/^ok/)
  })

  it('gives a canary its share, or what a header says', () => {
    const { apply, share } = edge({ main: [{}], next: [{}] })
    const canary = { canary: 'true', 'canary-weight': '20', 'canary-by-header': 'X-Canary' }
    apply(ingressOf([pathTo('main')]), ingressOf([pathTo('next')], canary, 'next'))
    const { main = 0, next = 0 } = share(byIngress(), 1000)
    expect(main + next).toBe(1000)
    expect(Math.abs(next - 200)).toBeLessThan(51)
    expect(share(byIngress({ headers: { 'x-canary': 'always' } }), 20)).toEqual({ next: 20 })
    expect(share(byIngress({ headers: { 'x-canary': 'never' } }), 20)).toEqual({ main: 20 })
  })

  it('has new endpoints some seconds late: its controller writes 0.3 times a second, its workers look once', () => {
    const { apply, share, setEndpoints, clock } = edge({ s: [{}] })
    apply(ingressOf([pathTo('s')]))
    share(byIngress(), 1)
    const seenAfter = () => {
      const from = clock.now
      setEndpoints('s', [{}])
      const before = share(byIngress(), 1)
      expect(before).toEqual({ s: 1 })
      return from
    }
    seenAfter()
    seenAfter()
    setEndpoints('s', [])
    const times = Array.from({ length: 8 }, () => Object.keys(share(byIngress(), 1))[0])
    expect(times[0]).toBe('s')
    expect(times.at(-1)).toBe('503')
  })

  it('answers 503 for a Service that is not there', () => {
    const { apply, fate: through } = edge({})
    apply(ingressOf([pathTo('gone')]))
    expect(through(byIngress())).toMatch(/^http 503 .*invalid backend: Service default\/gone does not exist/)
  })

  it('waits in vain where a NetworkPolicy stops it, and tries others', () => {
    const { apply, store, fate: through, clock } = edge({ s: [{}] })
    const pod = { metadata: { name: 's-1', labels: { app: 's' } }, spec: { containers: [{ name: 'c', image: 'c' }] } }
    apply({ apiVersion: 'v1', kind: 'Pod', ...pod }, ingressOf([pathTo('s')]))
    const policy = (from: object[]) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'p' },
      spec: { podSelector: { matchLabels: { app: 's' } }, ingress: [{ from }] },
    })
    const point = { ...byIngress(), peer: { namespace: 'ingress-nginx' } }
    apply(policy([{ podSelector: {} }]))
    clock.runUntil(clock.now + seconds(1))
    // three tries of 5 s each, all at the only pod there is
    expect(through(point)).toBe('http 504 504 Gateway Time-out after 15000ms')
    const edgeNamespace = { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } }
    store.patch(NetworkPolicy, 'default/p', policy([{ namespaceSelector: edgeNamespace }]), 'kubectl')
    clock.runUntil(clock.now + seconds(1))
    expect(through(point)).toMatch(/^ok/)
  })
})
