import { describe, expect, it } from 'vitest'
import { byGateway, ENVOY, edge, gatewayOf, ref, routeOf } from './testkit.ts'

const PREFIX = (value: string) => ({ path: { type: 'PathPrefix', value } })
const EXACT = (value: string) => ({ path: { type: 'Exact', value } })
const NO_TIMEOUT = { request: '0s' }

/** Which Service takes a request when each rule has one of its own: `s0` the first rule, `s1` the second, … */
function taken(rules: object[], head: Parameters<typeof byGateway>[0] = {}, more: object = {}): string {
  const services = Object.fromEntries(rules.map((_, i) => [`s${i}`, [{}]]))
  const { apply, share } = edge(services)
  apply(
    gatewayOf(),
    routeOf(
      rules.map((rule, i) => ({ ...rule, backendRefs: [ref(`s${i}`)] })),
      more,
    ),
  )
  return Object.keys(share(byGateway(head), 1))[0]!
}

const CHAT = '/v1/chat/completions'

describe('matches of HTTPRoutes', () => {
  it('takes prefixes by whole elements', () => {
    expect(taken([{ matches: [PREFIX('/v1')] }])).toBe('s0')
    expect(taken([{ matches: [PREFIX('/v1/')] }])).toBe('s0')
    expect(taken([{ matches: [PREFIX('/v')] }])).toBe('404')
    expect(taken([{ matches: [EXACT('/v1')] }])).toBe('404')
    expect(taken([{}])).toBe('s0')
  })

  it('takes regular expressions as RE2, for the whole path', () => {
    const regex = (value: string) => [{ matches: [{ path: { type: 'RegularExpression', value } }] }]
    expect(taken(regex('/v[0-9]+/.*'))).toBe('s0')
    expect(taken(regex('/v1'))).toBe('404')
    expect(taken(regex('(?i)/V1/CHAT/.*'))).toBe('s0')
  })

  it('compares header names whatever their case, values as they are, and all of them', () => {
    const by = (...headers: object[]) => [{ matches: [{ headers }] }]
    const head = { headers: { 'X-Tier': 'gold' } }
    expect(taken(by({ name: 'x-tier', value: 'gold' }), head)).toBe('s0')
    expect(taken(by({ name: 'x-tier', value: 'Gold' }), head)).toBe('404')
    expect(taken(by({ name: 'x-tier', value: 'go.*', type: 'RegularExpression' }), head)).toBe('s0')
    expect(taken(by({ name: 'X-TIER', value: 'gold' }, { name: 'x-tier', value: 'other' }), head)).toBe('s0')
    expect(taken(by({ name: 'x-tier', value: 'gold' }, { name: 'x-region', value: 'eu' }), head)).toBe('404')
  })

  it('looks at the method, and at query parameters that clients of inference do not send', () => {
    expect(taken([{ matches: [{ method: 'POST' }] }])).toBe('s0')
    expect(taken([{ matches: [{ method: 'GET' }] }])).toBe('404')
    expect(taken([{ matches: [{ queryParams: [{ name: 'a', value: 'b' }] }] }])).toBe('404')
  })

  it('prefers exact paths, then longer prefixes, then methods, then more headers, then the first rule', () => {
    const headers = [{ name: 'a', value: '1' }]
    const head = { headers: { a: '1' } }
    expect(taken([{ matches: [PREFIX('/v1')] }, { matches: [EXACT(CHAT)] }])).toBe('s1')
    expect(taken([{ matches: [PREFIX('/')] }, { matches: [PREFIX('/v1/chat')] }, { matches: [PREFIX('/v1')] }])).toBe(
      's1',
    )
    expect(
      taken([{ matches: [{ ...PREFIX('/v1'), headers }] }, { matches: [{ ...PREFIX('/v1'), method: 'POST' }] }], head),
    ).toBe('s1')
    expect(taken([{ matches: [PREFIX('/v1')] }, { matches: [{ ...PREFIX('/v1'), headers }] }], head)).toBe('s1')
    expect(taken([{ matches: [PREFIX('/v1')] }, { matches: [PREFIX('/v1')] }])).toBe('s0')
  })

  it('routes by the model that body-based routing put into a header', () => {
    const model = (value: string) => ({ matches: [{ headers: [{ name: 'X-Gateway-Model-Name', value }] }] })
    const rules = [model('llama'), model('m')]
    expect(taken(rules, { modelHeader: 'X-Gateway-Model-Name' })).toBe('s1')
    expect(taken(rules)).toBe('404')
  })

  it('prefers the older of two routes, then the one first by name', () => {
    const { apply, share, clock } = edge({ a: [{}], b: [{}] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('b')] }], {}, 'z'))
    clock.runUntil(clock.now + 2e6)
    apply(routeOf([{ backendRefs: [ref('a')] }], {}, 'a'))
    clock.runUntil(clock.now + 2e6)
    expect(share(byGateway(), 1)).toEqual({ b: 1 })
    const same = edge({ a: [{}], b: [{}] })
    same.apply(
      gatewayOf(),
      routeOf([{ backendRefs: [ref('b')] }], {}, 'z'),
      routeOf([{ backendRefs: [ref('a')] }], {}, 'a'),
    )
    expect(same.share(byGateway(), 1)).toEqual({ a: 1 })
  })
})

describe('host names and listeners', () => {
  it('takes a wildcard for one label or more, and the narrowest name first', () => {
    expect(taken([{}], { host: 'a.b.example.com' }, { hostnames: ['*.example.com'] })).toBe('s0')
    expect(taken([{}], { host: 'example.com' }, { hostnames: ['*.example.com'] })).toBe('404')
    const { apply, share } = edge({ wide: [{}], narrow: [{}] })
    apply(
      gatewayOf(),
      routeOf([{ matches: [EXACT(CHAT)], backendRefs: [ref('wide')] }], { hostnames: ['*.example.com'] }, 'a'),
      routeOf([{ backendRefs: [ref('narrow')] }], { hostnames: ['chat.example.com'] }, 'b'),
    )
    expect(share(byGateway(), 1)).toEqual({ narrow: 1 })
  })

  it('serves what listener and route have in common', () => {
    const listener = (hostname: string) => [{ name: 'http', port: 80, protocol: 'HTTP', hostname }]
    const served = (hostname: string, hostnames: string[], host: string) => {
      const { apply, share } = edge({ s: [{}] })
      apply(gatewayOf(listener(hostname)), routeOf([{ backendRefs: [ref('s')] }], { hostnames }))
      return Object.keys(share(byGateway({ host }), 1))[0]
    }
    expect(served('*.example.com', ['test.example.net', 'test.example.com'], 'test.example.com')).toBe('s')
    expect(served('*.example.com', ['test.example.net'], 'test.example.net')).toBe('404')
    expect(served('test.example.com', ['*.example.com'], 'test.example.com')).toBe('s')
    expect(served('test.example.com', ['*.example.com'], 'other.example.com')).toBe('404')
    expect(served('*.example.com', ['example.com'], 'example.com')).toBe('404')
  })

  it('attaches routes to the listener they name, from the namespaces it allows', () => {
    const attached = (listener: object, parent: object, namespace = 'default') => {
      const { apply, share } = edge({ s: [{}] })
      apply(
        gatewayOf([{ name: 'http', port: 80, protocol: 'HTTP', ...listener }]),
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'apps', namespace: undefined, labels: { team: 'chat' } },
        },
        {
          ...routeOf([{ backendRefs: [ref('s', { namespace: 'default' })] }], {
            parentRefs: [{ name: 'gw', namespace: 'default', ...parent }],
          }),
          metadata: { name: 'chat', namespace },
        },
        {
          apiVersion: 'gateway.networking.k8s.io/v1beta1',
          kind: 'ReferenceGrant',
          metadata: { name: 'g' },
          spec: {
            from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'apps' }],
            to: [{ group: '', kind: 'Service' }],
          },
        },
      )
      return Object.keys(share(byGateway(), 1))[0]
    }
    const from = (namespaces: object) => ({ allowedRoutes: { namespaces } })
    expect(attached({}, { sectionName: 'http' })).toBe('s')
    expect(attached({}, { sectionName: 'https' })).toBe('404')
    expect(attached({}, { port: 8080 })).toBe('404')
    expect(attached({}, {}, 'apps')).toBe('404')
    expect(attached(from({ from: 'All' }), {}, 'apps')).toBe('s')
    expect(attached(from({ from: 'Selector', selector: { matchLabels: { team: 'chat' } } }), {}, 'apps')).toBe('s')
    expect(attached(from({ from: 'Selector', selector: { matchLabels: { team: 'x' } } }), {}, 'apps')).toBe('404')
    expect(attached({ allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }, {})).toBe('404')
    expect(attached({ protocol: 'TCP' }, {})).toBe('404')
  })

  it('knows nothing of a port without a listener', () => {
    const { apply, fate } = edge({ s: [{}] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')], timeouts: NO_TIMEOUT }]))
    expect(fate(byGateway({}, ENVOY, 8443))).toMatch(/^http 404/)
  })
})

describe('filters', () => {
  it('rewrites prefixes and whole paths', () => {
    const rewrite = (path: object) => ({ filters: [{ type: 'URLRewrite', urlRewrite: { path } }] })
    const prefix = { matches: [PREFIX('/llama')], ...rewrite({ type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }) }
    expect(taken([prefix], { path: `/llama${CHAT}` })).toBe('s0')
    const full = { matches: [EXACT('/ask')], ...rewrite({ type: 'ReplaceFullPath', replaceFullPath: CHAT }) }
    expect(taken([full], { path: '/ask' })).toBe('s0')
    // without a rewrite the server is asked for a path it does not have
    expect(taken([{ matches: [PREFIX('/llama')] }], { path: `/llama${CHAT}` })).toBe('404')
  })

  it('mirrors a share of requests, and nobody waits for the copies', () => {
    const { apply, share, served } = edge({ main: [{}], copy: [{ doneAfter: 1e12 }] })
    const mirror = { type: 'RequestMirror', requestMirror: { backendRef: ref('copy'), percent: 25 } }
    apply(gatewayOf(), routeOf([{ filters: [mirror], backendRefs: [ref('main')] }]))
    expect(share(byGateway(), 1000)).toEqual({ main: 1000 })
    expect(served.get('default/copy-2')).toBeGreaterThan(200)
    expect(served.get('default/copy-2')).toBeLessThan(300)
  })
})
