import type * as o from '../../kube/objects.ts'
import type { HttpRequest } from './http-request.ts'
import { type NginxSettings, nginxAnnotations } from './nginx-annotations.ts'
import type { ProxyRule, WeightedBackend } from './rule.ts'

/** Whether an Ingress only offers another backend for paths of others. */
export const isCanary = ({ metadata }: o.Ingress): boolean =>
  nginxAnnotations(metadata.annotations)['canary'] === 'true'

/**
 * The choice between a path's own backend and that of the first canary Ingress with the same host and path. Follows
 * route_to_alternative_balancer of rootfs/etc/nginx/lua/balancer.lua.
 */
export function canaryOf(
  { host, path }: { host: string; path: string },
  ingresses: readonly o.Ingress[],
  backendOf: (ingress: o.Ingress, backend: o.IngressBackend) => WeightedBackend,
): ProxyRule['choose'] {
  for (const ingress of ingresses) {
    if (!isCanary(ingress)) continue
    const paths = (ingress.spec.rules ?? [])
      .filter((rule) => (rule.host ?? '') === host)
      .flatMap(({ http }) => http?.paths ?? [])
    const same = paths.find((one) => (one.path ?? '/') === path)
    if (!same) continue
    const settings = nginxAnnotations(ingress.metadata.annotations)
    const backend = backendOf(ingress, same.backend)
    return (request, random) => (isChosen(settings, request, random) ? backend : undefined)
  }
  return undefined
}

function isChosen(settings: NginxSettings, { headers }: HttpRequest, random: () => number): boolean {
  const byHeader = headerSays(settings, headers)
  if (byHeader !== undefined) return byHeader
  const total = Math.max(100, Number(settings['canary-weight-total'] ?? 100))
  return Math.floor(random() * total) + 1 <= Number(settings['canary-weight'] ?? 0)
}

/** Undefined: the header says nothing. */
function headerSays(settings: NginxSettings, headers: HttpRequest['headers']): boolean | undefined {
  const name = settings['canary-by-header']
  const given = name === undefined ? undefined : headers[name.toLowerCase()]
  if (given === undefined) return undefined
  const { 'canary-by-header-value': value, 'canary-by-header-pattern': pattern } = settings
  if (value) return value === given ? true : undefined
  if (pattern) return new RegExp(pattern).test(given) ? true : undefined
  return given === 'always' ? true : given === 'never' ? false : undefined
}
