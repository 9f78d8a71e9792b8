import type { HTTPRouteFilter, HTTPRouteMatch } from '../../kube/objects.ts'
import { type HttpRequest, replacePathPrefix } from './http-request.ts'

/** The filters that are acted upon. Those that only change what comes back do nothing to a client's outcome. */
export const KNOWN_FILTERS: ReadonlySet<string> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'URLRewrite',
  'RequestMirror',
  'CORS',
])

/** What filters make of a request that came by `match`. Undefined: they leave it as it is. */
export function rewriteOf(
  filters: readonly HTTPRouteFilter[] = [],
  match: HTTPRouteMatch = {},
): ((request: HttpRequest) => HttpRequest) | undefined {
  const steps = filters.flatMap((filter) => {
    if (filter.requestHeaderModifier) return [headerStep(filter.requestHeaderModifier)]
    if (filter.urlRewrite) return [urlStep(filter.urlRewrite, match.path?.value ?? '/')]
    return []
  })
  if (steps.length === 0) return undefined
  return (request) => steps.reduce((changed, step) => step(changed), request)
}

function headerStep({ set = [], add = [], remove = [] }: NonNullable<HTTPRouteFilter['requestHeaderModifier']>) {
  return (request: HttpRequest): HttpRequest => {
    const headers: Record<string, string> = { ...request.headers }
    for (const { name, value } of set) headers[name.toLowerCase()] = value
    for (const { name, value } of add) {
      const before = headers[name.toLowerCase()]
      headers[name.toLowerCase()] = before === undefined ? value : `${before},${value}`
    }
    for (const name of remove) delete headers[name.toLowerCase()]
    return { ...request, headers }
  }
}

function urlStep({ hostname, path }: NonNullable<HTTPRouteFilter['urlRewrite']>, prefix: string) {
  const newPath = (old: string): string => {
    if (path?.type === 'ReplaceFullPath') return path.replaceFullPath || '/'
    if (path?.type === 'ReplacePrefixMatch') return replacePathPrefix(old, prefix, path.replacePrefixMatch ?? '')
    return old
  }
  return (request: HttpRequest): HttpRequest => ({
    ...request,
    host: hostname ?? request.host,
    path: newPath(request.path),
  })
}
