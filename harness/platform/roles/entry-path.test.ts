import { describe, expect, it } from 'vitest'
import { bypassText, entryPathOf } from './entry-path.ts'
import { findVllmServers } from './inference-servers.ts'
import { deployment, load, SERVICE } from './testkit.ts'

const CHAT = '/v1/chat/completions'

async function entry(...objects: string[]) {
  const platform = await load([deployment(), SERVICE, ...objects].join('\n---\n'))
  const [server] = findVllmServers(platform)
  const service = { key: 'default/chat-svc', port: 80 }
  return entryPathOf(platform, server!, { model: 'llama', service })
}

const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 8080, protocol: HTTP, hostname: "*.example.com"}]}`

const route = (rule: string, more = '') => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec:
  parentRefs: [{name: gw}]
${more}  rules: [{${rule}backendRefs: [{name: chat-svc, port: 80}]}]`

const ingress = (path: string, annotations = '', type = 'Prefix') => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, annotations: {${annotations}}}
spec:
  ingressClassName: nginx
  rules: [{host: chat.example.com, http: {paths: [{path: "${path}", pathType: ${type}, backend: {service: {name: chat-svc, port: {number: 80}}}}]}}]`

const reasons = async (...objects: string[]) => bypassText((await entry(...objects)).bypassed!)

describe('the way by a Gateway', () => {
  it('is by its listener, under a host and a path that lead to the server', async () => {
    const { point, assumed, on, bypassed } = await entry(GATEWAY, route(''))
    expect(bypassed).toBeUndefined()
    expect(point).toEqual({
      via: 'gateway',
      gateway: 'default/gw',
      port: 8080,
      controller: 'gateway.envoyproxy.io/gatewayclass-controller',
      request: { host: 'inference.example.com', path: CHAT, headers: {} },
    })
    expect(assumed).toEqual([
      'GatewayClass eg is that of Envoy Gateway, by its name',
      'Envoy Gateway ends a request after 15s where a rule has no timeouts',
      'Envoy Gateway ends a request that is silent for 5m00s',
    ])
    expect(on.map(({ id }) => id)).toEqual(['HTTPRoute/r', 'Gateway/gw'])
  })

  it('takes the implementation from its class', async () => {
    const own = `apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: eg}\nspec: {controllerName: istio.io/gateway-controller}`
    const { point, assumed } = await entry(GATEWAY, own, route(''))
    expect(point).toMatchObject({ controller: 'istio.io/gateway-controller' })
    expect(assumed[0]).toBe('Istio gives a request any time where a rule has no timeouts')
    expect(await reasons(GATEWAY, own.replace('istio.io/', 'acme.io/'), route(''))).toBe(
      'gateway bypassed: Gateway/gw spec.gatewayClassName: what the controller acme.io/gateway-controller does is not simulated',
    )
  })

  it('asks for what rules rewrite', async () => {
    const rewrite =
      'matches: [{path: {type: PathPrefix, value: /llama}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}], '
    expect((await entry(GATEWAY, route(rewrite))).point).toMatchObject({ request: { path: `/llama${CHAT}` } })
    const without = 'matches: [{path: {type: PathPrefix, value: /llama}}], '
    expect(await reasons(GATEWAY, route(without))).toContain('no request of the OpenAI API')
  })

  it('sends the model in a header where bodies are read for it, or says that clients do', async () => {
    const byModel = 'matches: [{headers: [{name: X-Gateway-Model-Name, value: llama}]}], '
    const reader = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bbr}\nspec:\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: bbr, image: "registry.k8s.io/gateway-api-inference-extension/bbr:v1.3.0"}]}}`
    expect((await entry(GATEWAY, reader, route(byModel))).point).toMatchObject({
      request: { modelHeader: 'X-Gateway-Model-Name', headers: {} },
    })
    const { point, assumed } = await entry(GATEWAY, route(byModel))
    expect(point).toMatchObject({ request: { headers: { 'X-Gateway-Model-Name': 'llama' } } })
    expect(assumed).toContain('clients send the header X-Gateway-Model-Name: llama')
  })

  it('is bypassed, by name, where it cannot be gone', async () => {
    expect(await reasons(route(''))).toBe(
      'gateway bypassed: HTTPRoute/r spec.parentRefs: its Gateway gw is not among the manifests',
    )
    expect(
      await reasons(GATEWAY, route('filters: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}], ')),
    ).toBe(
      'gateway bypassed: HTTPRoute/r spec.rules[0].filters[0]: what a filter of type ExtensionRef does is not simulated',
    )
    const pool =
      'apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: pool}\nspec: {selector: {matchLabels: {app: chat}}}'
    const toPool = route('').replace(
      '{name: chat-svc, port: 80}',
      '{group: inference.networking.k8s.io, kind: InferencePool, name: pool}',
    )
    expect(await reasons(GATEWAY, pool, toPool)).toContain(
      'spec.rules[0].backendRefs[0]: its endpoint picker chooses by queues',
    )
    const elsewhere = route('', '  hostnames: [chat.example.net]\n')
    expect((await entry(GATEWAY, elsewhere)).bypassed?.declared).toBe(true)
  })

  it('has the policies that name it, as far as they are known', async () => {
    const policy = (timeout: string) =>
      `apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}], ${timeout}}`
    const { on, assumed } = await entry(GATEWAY, route(''), policy('timeout: {http: {requestTimeout: 0s}}'))
    expect(on.map(({ id }) => id)).toContain('BackendTrafficPolicy/p')
    expect(assumed).toContain('Envoy Gateway gives a request any time where a rule has no timeouts')
    expect(await reasons(GATEWAY, route(''), policy('rateLimit: {type: Local}'))).toBe(
      'gateway bypassed: BackendTrafficPolicy/p spec.rateLimit: what it does to requests is not simulated',
    )
    const security =
      'apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\nspec: {targetRef: {kind: Gateway, name: gw}}'
    expect(await reasons(GATEWAY, route(''), security)).toContain('what a SecurityPolicy does to requests')
  })
})

describe('the way by an Ingress', () => {
  it('is by the controller of its class', async () => {
    const { point, assumed } = await entry(ingress('/'))
    expect(point).toEqual({
      via: 'ingress',
      className: 'nginx',
      controller: 'k8s.io/ingress-nginx',
      settings: {},
      request: { host: 'chat.example.com', path: CHAT, headers: {} },
    })
    expect(assumed).toEqual([
      'IngressClass nginx is that of ingress-nginx, by its name',
      'ingress-nginx ends a request that is silent for 1m00s',
    ])
  })

  it('goes through expressions, and has the settings of the controller', async () => {
    const rewriting =
      'nginx.ingress.kubernetes.io/rewrite-target: /$2, nginx.ingress.kubernetes.io/proxy-read-timeout: "600"'
    const map =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ingress-nginx-controller}\ndata: {proxy-body-size: 8m}'
    const { point, assumed } = await entry(ingress('/llama(/|$)(.*)', rewriting, 'ImplementationSpecific'), map)
    expect(point).toMatchObject({ request: { path: `/llama${CHAT}` }, settings: { 'proxy-body-size': '8m' } })
    expect(assumed).toHaveLength(1)
  })

  it('is bypassed where an annotation asks for more than is known', async () => {
    expect(await reasons(ingress('/', 'nginx.ingress.kubernetes.io/limit-rps: "5"'))).toBe(
      'gateway bypassed: Ingress/i metadata.annotations[nginx.ingress.kubernetes.io/limit-rps]: it may change who answers, or whether anyone does',
    )
    expect(await reasons(ingress('/').replace('ingressClassName: nginx', 'ingressClassName: acme'))).toContain(
      'what the controller of IngressClass acme does is not simulated',
    )
  })
})

describe('the way by a Service alone', () => {
  it('is from within the cluster, and says that nothing leads in', async () => {
    const { point, bypassed } = await entry()
    expect(point).toEqual({ via: 'service', service: 'default/chat-svc', port: 80, from: 'cluster' })
    expect(bypassed?.declared).toBe(false)
    expect(bypassText(bypassed!)).toBe('gateway bypassed: no Gateway or Ingress among the manifests leads to it')
  })

  it('is from outside where it has a load balancer', async () => {
    const balanced = (policy: string) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: lb}\nspec: {type: LoadBalancer, externalTrafficPolicy: ${policy}, selector: {app: chat}, ports: [{port: 80, targetPort: http}]}`
    const at = async (policy: string) => {
      const platform = await load([deployment(), balanced(policy)].join('\n---\n'))
      return entryPathOf(platform, findVllmServers(platform)[0]!, {
        model: 'm',
        service: { key: 'default/lb', port: 80 },
      })
    }
    expect(await at('Cluster')).toEqual({
      point: { via: 'service', service: 'default/lb', port: 80, from: 'outside' },
      assumed: [],
      on: [],
    })
    const local = await at('Local')
    expect(local.point).toMatchObject({ from: 'cluster' })
    expect(local.assumed[0]).toContain('without delay (Local)')
  })
})
