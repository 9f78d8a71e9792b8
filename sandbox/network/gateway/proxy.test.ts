import { describe, expect, it } from 'vitest'
import { ms, seconds } from '../../world/time.ts'
import { byGateway, edge, gatewayOf, ref, routeOf, type Upstream } from './testkit.ts'

const ISTIO = 'istio.io/gateway-controller'

/** The fate of one request to a Service of these pods under a rule. */
function fate(upstreams: readonly Upstream[], rule: object = {}, how: { controller?: string; stream?: boolean } = {}) {
  const { apply, fate } = edge({ s: upstreams })
  apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')], ...rule }]))
  return fate(byGateway({}, how.controller), { stream: how.stream ?? true })
}

describe('backends', () => {
  const split = (backendRefs: object[], n = 2000, seed = 1) => {
    const { apply, share } = edge({ a: [{}], b: [{}], empty: [] }, seed)
    apply(gatewayOf(), routeOf([{ backendRefs }]))
    return share(byGateway(), n)
  }

  it.each([1, 2, 3])('are drawn by weight (seed %i)', (seed) => {
    const { a = 0, b = 0 } = split([ref('a', { weight: 9 }), ref('b')], 2000, seed)
    expect(a + b).toBe(2000)
    // 1800 ± 4 standard deviations
    expect(Math.abs(a - 1800)).toBeLessThan(54)
  })

  it('get nothing at weight 0, and a rule without any weight answers 500', () => {
    expect(split([ref('a'), ref('b', { weight: 0 })], 200)).toEqual({ a: 200 })
    expect(split([ref('a', { weight: 0 })], 5)).toEqual({ 500: 5 })
    expect(split([], 5)).toEqual({ 500: 5 })
  })

  it('answer 500 for the share of an invalid one, 503 for that of one without endpoints', () => {
    const half = (other: object) => split([ref('a'), other], 1000)
    for (const wrong of [ref('gone'), ref('b', { port: 81 }), ref('b', { kind: 'InferencePool' }), { name: 'b' }]) {
      const { a = 0, 500: failed = 0 } = half(wrong)
      expect(a + failed).toBe(1000)
      expect(Math.abs(failed - 500)).toBeLessThan(64)
    }
    expect(half(ref('empty'))['503']).toBeGreaterThan(400)
    expect(split([ref('a', { namespace: 'elsewhere' })], 3)).toEqual({ 500: 3 })
  })

  it('come and go with their Services', () => {
    const { apply, share, deleteService, clock } = edge({ a: [{}] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('a')] }]))
    expect(share(byGateway(), 2)).toEqual({ a: 2 })
    deleteService('a')
    clock.runUntil(clock.now + seconds(1))
    expect(share(byGateway(), 2)).toEqual({ 500: 2 })
  })
})

describe('endpoints', () => {
  it('are spread by fewest requests, and seen anew when they change', () => {
    const { apply, share, served, setEndpoints, clock } = edge({ s: [{}, {}] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')] }]))
    share(byGateway(), 400)
    for (const count of served.values()) expect(Math.abs(count - 200)).toBeLessThan(60)
    served.clear()
    setEndpoints('s', [{}])
    clock.runUntil(clock.now + seconds(1))
    share(byGateway(), 10)
    expect([...served]).toEqual([['default/s-3', 10]])
  })

  it('that are not ready get requests from Envoy Gateway when they are the most: its panic threshold', () => {
    const notReady: Upstream = { state: 'notReady', port: 'closed' }
    const refused = (upstreams: Upstream[], controller?: string) => {
      const { apply, share } = edge({ s: upstreams })
      apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')] }]))
      return share(byGateway({}, controller), 300)['503'] ?? 0
    }
    expect(refused([{}, notReady, notReady])).toBeGreaterThan(100)
    expect(refused([{}, notReady])).toBe(0)
    expect(refused([{}, notReady, notReady], ISTIO)).toBe(0)
    expect(fate([notReady], {}, { controller: ISTIO })).toBe(
      'http 503 no healthy upstream after 0ms | HTTPRoute default/chat spec.rules[0]: no endpoints',
    )
  })

  it('that end keep what they have and get nothing new', () => {
    const { apply, send, share, served, setEndpoints, clock } = edge({ s: [{ doneAfter: seconds(5) }] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')] }]))
    const open = send(byGateway())
    clock.runUntil(clock.now + seconds(1))
    setEndpoints('s', [{ state: 'terminating' }, {}])
    clock.runUntil(clock.now + seconds(1))
    share(byGateway(), 20)
    clock.runUntil(clock.now + seconds(10))
    expect(served.get('default/s-2')).toBeUndefined()
    expect(open.fate).toBe('ok after 5000ms')
  })
})

describe('timeouts', () => {
  const slow: Upstream = { doneAfter: seconds(100), tokenAfter: seconds(8) }

  it('of a request answer 504 while nothing has come, and cut a stream after its head', () => {
    const rule = { timeouts: { request: '10s' } }
    const by = 'HTTPRoute default/chat spec.rules[0]: request timeout of 10s'
    expect(fate([slow], rule, { stream: false })).toBe(`http 504 upstream request timeout after 10000ms | ${by}`)
    expect(fate([slow], rule)).toBe(`reset connection reset by peer after 10000ms | ${by}`)
    expect(fate([{ doneAfter: seconds(100), headAfter: seconds(20) }], rule)).toContain('http 504')
    expect(fate([slow], { timeouts: { request: '0s' } })).toBe('ok after 100000ms')
  })

  it('are those of the implementation where the rule has none', () => {
    expect(fate([slow])).toContain('after 15000ms')
    expect(fate([slow], {}, { controller: ISTIO })).toBe('ok after 100000ms')
    expect(fate([slow], {}, { controller: 'networking.gke.io/gateway' })).toContain('after 30000ms')
    const nginx = { controller: 'gateway.nginx.org/nginx-gateway-controller' }
    // 60 s without a byte since the one at 8 s
    expect(fate([slow], {}, nginx)).toContain('after 68000ms')
    expect(fate([slow], {}, { ...nginx, stream: false })).toMatch(/^http 504 504 Gateway Time-out after 60000ms/)
  })

  it('of backendRequest bound each try where there are retries, and the whole where there are none', () => {
    expect(fate([slow], { timeouts: { backendRequest: '5s' } })).toContain('after 5000ms')
    const retry = { timeouts: { backendRequest: '5s', request: '60s' }, retry: { attempts: 3, codes: [503] } }
    expect(fate([slow], retry, { stream: false })).toContain('try timeout of 5s')
    expect(fate([slow], { ...retry, timeouts: { request: '12s' } })).toContain('after 12000ms')
  })

  it('of an idle stream begin anew with each byte', () => {
    const late = (tokenAfter: number) => ({ tokenAfter: seconds(tokenAfter), doneAfter: seconds(tokenAfter + 290) })
    expect(fate([late(280)], {}, { controller: ISTIO })).toBe('ok after 570000ms')
    expect(fate([late(310)], {}, { controller: ISTIO })).toContain('idle timeout of 5m00s')
    // Envoy Gateway lets a stream be idle for as long as a route's own timeout
    expect(fate([late(310)], { timeouts: { request: '2h' } })).toBe('ok after 600000ms')
  })

  it('come from a BackendTrafficPolicy on the route, or on its Gateway', () => {
    const policy = (targetRef: object, http: object) => ({
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'BackendTrafficPolicy',
      metadata: { name: (targetRef as { kind: string }).kind.toLowerCase() },
      spec: { targetRefs: [targetRef], timeout: { http } },
    })
    const under = (...policies: object[]) => {
      const { apply, fate } = edge({ s: [slow] })
      apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')] }]), ...policies)
      return fate(byGateway())
    }
    const onRoute = { kind: 'HTTPRoute', name: 'chat' }
    const onGateway = { kind: 'Gateway', name: 'gw' }
    expect(under(policy(onRoute, { requestTimeout: '0s' }))).toBe('ok after 100000ms')
    expect(under(policy(onGateway, { requestTimeout: '40s' }))).toContain('after 40000ms')
    expect(under(policy(onGateway, { requestTimeout: '40s' }), policy(onRoute, { requestTimeout: '50s' }))).toContain(
      'after 50000ms',
    )
    expect(under(policy(onRoute, { maxStreamDuration: '0s' }))).toBe('ok after 100000ms')
  })
})

describe('retries', () => {
  const closed: Upstream = { port: 'closed' }

  it('are for those that ask, on other endpoints, when a connection is refused', () => {
    const refused = /^http 503 upstream connect error.*Connection refused after 0ms$/
    expect(fate([closed])).toMatch(refused)
    expect(fate([closed, closed], { retry: { attempts: 1 } })).toMatch(/^http 503.*after \d+(\.\d+)?ms$/)
    const { apply, share } = edge({ s: [closed, closed, {}] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')], retry: { attempts: 2, backoff: '10ms' } }]))
    const { s = 0, 503: failed = 0 } = share(byGateway(), 500)
    // two retries that avoid what was tried before
    expect(s).toBeGreaterThan(450)
    expect(s + failed).toBe(500)
  })

  it('are two by default with Istio, and none after a server that answered', () => {
    expect(fate([closed, {}], {}, { controller: ISTIO })).toMatch(/^ok/)
    const broken: Upstream = { fails: { kind: 'reset', after: ms(5) }, headAfter: ms(50) }
    expect(fate([broken], {}, { controller: ISTIO })).toBe(
      'http 503 upstream connect error or disconnect/reset before headers. reset reason: connection termination after 5ms',
    )
  })

  it('follow the codes that are given, as often as is said, and pass the last answer on', () => {
    const failing = (status: number): Upstream => ({ fails: { kind: 'http', status, after: ms(1) } })
    const tries = (status: number, retry: object) => {
      const { apply, fate, served } = edge({ s: [failing(status)] })
      apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')], retry }]))
      return [fate(byGateway()).slice(0, 8), served.get('default/s-1')]
    }
    expect(tries(503, { codes: [500, 503], attempts: 3 })).toEqual(['http 503', 4])
    expect(tries(500, { codes: [503], attempts: 3 })).toEqual(['http 500', 1])
    expect(tries(503, {})).toEqual(['http 503', 3])
    expect(tries(503, { attempts: 0 })).toEqual(['http 503', 1])
  })

  it('never follow an answer that has begun', () => {
    const cut: Upstream = { fails: { kind: 'reset', after: seconds(2) } }
    expect(fate([cut, cut], { retry: { attempts: 3 } })).toBe('reset connection reset by peer after 2000ms')
  })

  it('all happen within the request timeout', () => {
    const gone: Upstream = { port: 'gone' }
    const rule = { timeouts: { request: '7s' }, retry: { attempts: 9 } }
    expect(fate([gone, gone], rule)).toContain('http 504 upstream request timeout after 7000ms')
    expect(fate([gone])).toMatch(/^http 503 .* after 3000ms$/)
  })

  it('end with the client', () => {
    const { apply, entries, network, clock } = edge({ s: [{ doneAfter: seconds(5) }] })
    apply(gatewayOf(), routeOf([{ backendRefs: [ref('s')] }]))
    const heard: string[] = []
    let hungUp = 0
    network.register('10.244.0.1', {
      podKey: 'default/s-1',
      accepts: () => true,
      inference: { submit: () => () => hungUp++ },
    })
    const request = { id: 'r', model: 'm', promptTokens: 1, outputTokens: 1, stream: true }
    const hangUp = entries.enter(byGateway()).send(request, {
      firstToken: () => {},
      finished: () => heard.push('finished'),
      failed: () => heard.push('failed'),
    })
    hangUp()
    clock.runUntil(clock.now + seconds(60))
    expect([heard, hungUp]).toEqual([[], 1])
  })
})
