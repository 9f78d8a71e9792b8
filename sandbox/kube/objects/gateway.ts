import type { KubeObject, LabelSelector } from './meta.ts'

// Gateway API v1 (gateway.networking.k8s.io, as of 1.5), Ingress and NetworkPolicy, as they are written: optional where the API fills in.

export interface GatewayClass extends KubeObject {
  kind: 'GatewayClass'
  spec: { controllerName: string; parametersRef?: { group: string; kind: string; name: string; namespace?: string } }
}

export interface Gateway extends KubeObject {
  kind: 'Gateway'
  spec: { gatewayClassName: string; listeners: GatewayListener[]; infrastructure?: { parametersRef?: unknown } }
}

export interface GatewayListener {
  name: string
  hostname?: string
  port: number
  protocol: string
  tls?: { mode?: 'Terminate' | 'Passthrough' }
  allowedRoutes?: {
    namespaces?: { from?: 'All' | 'Same' | 'Selector' | 'None'; selector?: LabelSelector }
    kinds?: { group?: string; kind: string }[]
  }
}

export interface ParentReference {
  group?: string
  kind?: string
  namespace?: string
  name: string
  sectionName?: string
  port?: number
}

export interface HTTPRoute extends KubeObject {
  kind: 'HTTPRoute'
  spec: { parentRefs?: ParentReference[]; hostnames?: string[]; rules?: HTTPRouteRule[] }
}

export interface HTTPRouteRule {
  name?: string
  matches?: HTTPRouteMatch[]
  filters?: HTTPRouteFilter[]
  backendRefs?: HTTPBackendRef[]
  timeouts?: { request?: string; backendRequest?: string }
  retry?: { codes?: number[]; attempts?: number; backoff?: string }
  sessionPersistence?: unknown
}

/** A value that must be equal, or matched whole by a regular expression. */
export interface NamedMatch {
  type?: 'Exact' | 'RegularExpression'
  name: string
  value: string
}

export interface HTTPRouteMatch {
  path?: { type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; value?: string }
  headers?: NamedMatch[]
  queryParams?: NamedMatch[]
  method?: string
}

export interface HTTPHeaderFilter {
  set?: { name: string; value: string }[]
  add?: { name: string; value: string }[]
  remove?: string[]
}

export interface HTTPRouteFilter {
  type: string
  requestHeaderModifier?: HTTPHeaderFilter
  responseHeaderModifier?: HTTPHeaderFilter
  urlRewrite?: {
    hostname?: string
    path?: { type: 'ReplaceFullPath' | 'ReplacePrefixMatch'; replaceFullPath?: string; replacePrefixMatch?: string }
  }
  requestMirror?: {
    backendRef: BackendObjectReference
    percent?: number
    fraction?: { numerator: number; denominator?: number }
  }
}

export interface BackendObjectReference {
  group?: string
  kind?: string
  name: string
  namespace?: string
  port?: number
}

export interface HTTPBackendRef extends BackendObjectReference {
  weight?: number
  filters?: HTTPRouteFilter[]
}

export interface ReferenceGrant extends KubeObject {
  kind: 'ReferenceGrant'
  spec: {
    from: { group: string; kind: string; namespace: string }[]
    to: { group: string; kind: string; name?: string }[]
  }
}

export interface IngressBackend {
  service?: { name: string; port?: { number?: number; name?: string } }
  resource?: { apiGroup?: string; kind: string; name: string }
}

export interface IngressPath {
  path?: string
  pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  backend: IngressBackend
}

export interface Ingress extends KubeObject {
  kind: 'Ingress'
  spec: {
    ingressClassName?: string
    defaultBackend?: IngressBackend
    rules?: { host?: string; http?: { paths: IngressPath[] } }[]
    tls?: { hosts?: string[]; secretName?: string }[]
  }
}

export interface IngressClass extends KubeObject {
  kind: 'IngressClass'
  spec: { controller: string }
}

export interface NetworkPolicyPeer {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr: string; except?: string[] }
}

export interface NetworkPolicyPort {
  protocol?: 'TCP' | 'UDP' | 'SCTP'
  port?: number | string
  endPort?: number
}

export interface NetworkPolicy extends KubeObject {
  kind: 'NetworkPolicy'
  spec: {
    podSelector?: LabelSelector
    policyTypes?: ('Ingress' | 'Egress')[]
    ingress?: { from?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[]
    egress?: { to?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[]
  }
}
