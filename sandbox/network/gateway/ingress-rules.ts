import { Ingress, keyOf, Service } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { ObjectReader } from './attachment.ts'
import type { Behaviour } from './behaviour.ts'
import { canaryOf, isCanary } from './canary.ts'
import { hasPathPrefix } from './http-request.ts'
import { type NginxSettings, nginxAnnotations, nginxBodyBytes, nginxRetry, nginxTimeouts } from './nginx-annotations.ts'
import type { MatchRule, ProxyRule, ServiceTarget, WeightedBackend } from './rule.ts'

export interface IngressContext {
  readonly objects: ObjectReader
  readonly behaviour: Behaviour
  /** Whether the controller takes care of an Ingress. */
  readonly owns: (ingress: o.Ingress) => boolean
  /** What the controller's ConfigMap says, by key. */
  readonly settings: NginxSettings
}

interface Location {
  readonly ingress: o.Ingress
  readonly host: string
  readonly path: o.IngressPath
  readonly settings: NginxSettings
  readonly rule: ProxyRule
}

/**
 * What an Ingress controller does with requests. The narrowest host counts and, of its paths, an exact one before the longest prefix; a path that
 * several claim is the oldest Ingress's. What no path takes goes to a default backend, or is a 404.
 */
export function ingressRules(context: IngressContext): MatchRule {
  const ingresses = context.objects.list(Ingress).filter(context.owns).sort(byAge)
  const locations = ingresses.filter((one) => !isCanary(one)).flatMap((one) => locationsOf(one, ingresses, context))
  const nginx = context.behaviour.name === 'ingress-nginx'
  const servers = new Map<string, ((path: string) => Located | undefined) | undefined>()
  for (const { host } of locations) {
    const own = locations.filter((location) => location.host === host)
    servers.set(host, nginx && own.some(isExpression) ? byExpressions(own) : byPrefixes(own, nginx))
  }
  const fallback = ingresses.find(({ spec }) => spec.defaultBackend)
  const fallbackRule = fallback && ruleOf(fallback, fallback.spec.defaultBackend!, 'spec.defaultBackend', context)
  return (request) => {
    const server = [request.host, `*.${request.host.split('.').slice(1).join('.')}`, ''].find((host) =>
      servers.has(host),
    )
    const found = server === undefined ? undefined : servers.get(server)!(request.path)
    if (!found) return fallbackRule
    return found.path === undefined ? found.rule : { ...found.rule, rewrite: () => ({ ...request, path: found.path! }) }
  }
}

interface Located {
  readonly rule: ProxyRule
  /** What the path becomes. */
  readonly path?: string
}

function byAge(a: o.Ingress, b: o.Ingress): number {
  const age = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '')
  return age || (keyOf(a) < keyOf(b) ? -1 : 1)
}

function locationsOf(ingress: o.Ingress, all: readonly o.Ingress[], context: IngressContext): Location[] {
  const settings = { ...context.settings, ...nginxAnnotations(ingress.metadata.annotations) }
  return (ingress.spec.rules ?? []).flatMap(({ host = '', http }, i) =>
    (http?.paths ?? []).map((path, j): Location => {
      const rule = ruleOf(ingress, path.backend, `spec.rules[${i}].http.paths[${j}]`, context)
      const canary = canaryOf({ host, path: path.path ?? '/' }, all, (one, backend) => backendOf(one, backend, context))
      return { ingress, host, path, settings, rule: canary ? { ...rule, choose: canary } : rule }
    }),
  )
}

const isExpression = ({ settings, path }: Location): boolean =>
  settings['use-regex'] === 'true' ||
  (settings['rewrite-target'] !== undefined && settings['rewrite-target'] !== path.path)

/** Follows updateServerLocations of internal/ingress/controller/location.go, and what NGINX does with the result. */
function byPrefixes(locations: readonly Location[], nginx: boolean) {
  const exact = new Map<string, ProxyRule>()
  const prefixes = [...locations]
    .filter(({ path }) => path.pathType !== 'Exact')
    .sort((a, b) => (b.path.path ?? '/').length - (a.path.path ?? '/').length)
  for (const { path, rule } of locations)
    if (path.pathType === 'Exact' && !exact.has(path.path ?? '/')) exact.set(path.path ?? '/', rule)
  return (path: string): Located | undefined => {
    const rule =
      exact.get(path) ??
      prefixes.find(({ path: { path: prefix = '/', pathType } }) =>
        nginx && pathType !== 'Prefix' ? path.startsWith(prefix) : hasPathPrefix(path, prefix),
      )?.rule
    return rule && { rule }
  }
}

/** One rewrite or regular expression makes expressions of all paths of a host, the longest first, whatever their case. */
function byExpressions(locations: readonly Location[]) {
  const compiled = [...locations]
    .sort((a, b) => (b.path.path ?? '/').length - (a.path.path ?? '/').length)
    .map(({ path: { path = '/' }, settings, rule }) => ({
      expression: new RegExp(`^${path}`, 'i'),
      // NGINX looks for the expression anywhere in the path and puts the target in the whole path's place
      found: new RegExp(path, 'i'),
      target: settings['rewrite-target'],
      rule,
    }))
  return (path: string): Located | undefined => {
    const location = compiled.find(({ expression }) => expression.test(path))
    if (!location) return undefined
    const { rule, target, found } = location
    if (target === undefined) return { rule }
    const groups = found.exec(path) ?? []
    return { rule, path: target.replace(/\$(\d)/g, (_, n: string) => groups[Number(n)] ?? '') }
  }
}

function ruleOf(ingress: o.Ingress, backend: o.IngressBackend, at: string, context: IngressContext): ProxyRule {
  const { behaviour } = context
  const settings = { ...context.settings, ...nginxAnnotations(ingress.metadata.annotations) }
  const nginx = behaviour.name === 'ingress-nginx'
  return {
    from: `Ingress ${keyOf(ingress)} ${at}`,
    backends: [backendOf(ingress, backend, context)],
    mirrors: [],
    balancing: behaviour,
    timeouts: nginx ? nginxTimeouts(settings, behaviour) : behaviour.timeouts,
    retry: nginx ? nginxRetry(settings) : behaviour.retry,
    bodyBytesMax: nginx ? nginxBodyBytes(settings) : 0,
  }
}

function backendOf(ingress: o.Ingress, backend: o.IngressBackend, { objects }: IngressContext): WeightedBackend {
  const invalid = (reason: string): WeightedBackend => ({ weight: 1, service: undefined, invalid: reason })
  if (!backend.service) return invalid(`${backend.resource?.kind ?? 'nothing'} is no kind of backend here`)
  const key = `${ingress.metadata.namespace ?? 'default'}/${backend.service.name}`
  const service = objects.get(Service, key)
  if (!service) return invalid(`Service ${key} does not exist`)
  const { number, name } = backend.service.port ?? {}
  const port = service.spec.ports?.find((one) => (name === undefined ? one.port === number : one.name === name))
  if (!port) return invalid(`Service ${key} has no port ${name ?? number}`)
  return { weight: 1, service: { key, port: port.port } satisfies ServiceTarget }
}
