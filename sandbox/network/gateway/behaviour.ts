import { ms, seconds, type Us } from '../../world/time.ts'
import type { Balancing, RetryPolicy, Timeouts } from './rule.ts'

/** How an implementation behaves where its objects say nothing. */
export interface Behaviour extends Balancing {
  /** As people call it: `Envoy Gateway`. */
  readonly name: string
  /** Whose words and status codes its data plane uses. */
  readonly proxy: 'envoy' | 'nginx' | 'other'
  readonly timeouts: Timeouts
  readonly retry: RetryPolicy | undefined
  /** Retries of a rule that asks for them without saying how. Undefined: it does not retry as rules ask. */
  readonly askedRetry: RetryPolicy | undefined
  /** How soon the data plane has an endpoint that the control plane saw. */
  readonly sync: { readonly debounceUs: Us; readonly minIntervalUs: Us; readonly pollUs: Us }
  /** `timeouts` of a rule have an effect. */
  readonly takesTimeouts: boolean
}

const NONE = { requestUs: 0, perTryUs: 0, idleUs: 0, connectUs: 0 } satisfies Timeouts
const AT_ONCE = { debounceUs: 0, minIntervalUs: 0, pollUs: 0 }

/** Envoy's back-off: 25 ms, doubled, up to ten times as much. */
const envoyRetry = (codes: readonly number[]): RetryPolicy => ({
  retries: 2,
  connectFailure: true,
  reset: false,
  codes: new Set(codes),
  baseUs: ms(25),
  maxUs: ms(250),
  withinUs: 0,
})

/** Envoy: a route's timeout is 15 s where nobody sets it, and a stream may be idle for 5 minutes. */
const envoy: Omit<Behaviour, 'name'> = {
  proxy: 'envoy',
  timeouts: { ...NONE, requestUs: seconds(15), idleUs: seconds(300), connectUs: seconds(5) },
  retry: undefined,
  askedRetry: envoyRetry([]),
  balancer: 'round-robin',
  panicPercent: 0,
  sync: AT_ONCE,
  takesTimeouts: true,
}

const nginx: Omit<Behaviour, 'name'> = {
  proxy: 'nginx',
  timeouts: { ...NONE, idleUs: seconds(60), connectUs: seconds(60) },
  retry: undefined,
  askedRetry: undefined,
  balancer: 'round-robin',
  panicPercent: 0,
  sync: AT_ONCE,
  takesTimeouts: false,
}

const other: Omit<Behaviour, 'name'> = { ...nginx, proxy: 'other', timeouts: { ...NONE, connectUs: seconds(30) } }

/** internal/xds/translator/{route,cluster}.go of Envoy Gateway 1.9: not-ready endpoints are kept, marked as draining. */
const envoyGateway: Behaviour = {
  ...envoy,
  name: 'Envoy Gateway',
  timeouts: { ...envoy.timeouts, connectUs: seconds(10) },
  askedRetry: envoyRetry([503]),
  balancer: 'least-request',
  panicPercent: 50,
}

/** pilot/pkg/networking/core/route of Istio: no timeout unless one is set, and two retries of what did not reach the server. */
const istio: Behaviour = {
  ...envoy,
  name: 'Istio',
  timeouts: { ...envoy.timeouts, requestUs: 0, connectUs: seconds(10) },
  retry: envoyRetry([]),
  balancer: 'least-request',
  // PILOT_DEBOUNCE_AFTER
  sync: { ...AT_ONCE, debounceUs: ms(100) },
}

/** Google's load balancers: a backend service's timeout is 30 s for the whole answer. */
const google: Omit<Behaviour, 'name'> = {
  ...other,
  timeouts: { ...NONE, requestUs: seconds(30), connectUs: seconds(5) },
  takesTimeouts: true,
}

/** By GatewayClass `spec.controllerName`. */
export const gatewayControllers: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ['gateway.envoyproxy.io/gatewayclass-controller', envoyGateway],
  ['istio.io/gateway-controller', istio],
  ['kgateway.dev/kgateway', { ...envoy, name: 'kgateway' }],
  ['solo.io/gloo-gateway', { ...envoy, name: 'Gloo Gateway' }],
  [
    'io.cilium/gateway-controller',
    // operator/pkg/model/translation: a maximal stream duration of 0, which turns Envoy's own timeout off
    { ...envoy, name: 'Cilium', timeouts: { ...envoy.timeouts, requestUs: 0 }, askedRetry: undefined },
  ],
  ['gateway.nginx.org/nginx-gateway-controller', { ...nginx, name: 'NGINX Gateway Fabric' }],
  ['networking.gke.io/gateway', { ...google, name: 'GKE Gateway' }],
  ['traefik.io/gateway-controller', { ...other, name: 'Traefik' }],
])

/** Class names by which implementations are installed, for platforms that do not carry the class itself. */
export function controllerOfClassName(className: string): string | undefined {
  if (className === 'eg' || className.startsWith('envoy')) return 'gateway.envoyproxy.io/gatewayclass-controller'
  if (className.startsWith('istio')) return 'istio.io/gateway-controller'
  if (className.startsWith('gke-')) return 'networking.gke.io/gateway'
  const names: Readonly<Record<string, string>> = {
    kgateway: 'kgateway.dev/kgateway',
    'gloo-gateway': 'solo.io/gloo-gateway',
    cilium: 'io.cilium/gateway-controller',
    nginx: 'gateway.nginx.org/nginx-gateway-controller',
    traefik: 'traefik.io/gateway-controller',
  }
  return names[className]
}

/**
 * ingress-nginx: internal/ingress/controller/config/config.go. Its controller writes endpoints 0.3 times a second at most, and
 * NGINX's workers look for them every second.
 */
export const ingressNginx: Behaviour = {
  ...nginx,
  name: 'ingress-nginx',
  timeouts: { ...NONE, idleUs: seconds(60), connectUs: seconds(5) },
  sync: { debounceUs: 0, minIntervalUs: Math.round(seconds(1) / 0.3), pollUs: seconds(1) },
}

/** By IngressClass `spec.controller`. */
export const ingressControllers: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ['k8s.io/ingress-nginx', ingressNginx],
  ['traefik.io/ingress-controller', { ...other, name: 'Traefik' }],
  ['ingress.k8s.aws/alb', { ...other, name: 'AWS ALB', timeouts: { ...other.timeouts, idleUs: seconds(60) } }],
  ['networking.gke.io/ingress', { ...google, name: 'GKE Ingress' }],
  ['nginx.org/ingress-controller', { ...nginx, name: 'NGINX Ingress Controller' }],
])

const CLASS_CONTROLLERS: Readonly<Record<string, string>> = {
  nginx: 'k8s.io/ingress-nginx',
  traefik: 'traefik.io/ingress-controller',
  alb: 'ingress.k8s.aws/alb',
  gce: 'networking.gke.io/ingress',
  'gce-internal': 'networking.gke.io/ingress',
}

export const controllerOfIngressClass = (className: string): string | undefined => CLASS_CONTROLLERS[className]
