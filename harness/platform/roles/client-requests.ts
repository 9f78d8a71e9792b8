import type { HTTPRouteMatch, HTTPRouteRule } from '../../../sandbox/kube/objects.ts'
import type { ClientRequest } from '../../../sandbox/network/gateway/entry.ts'
import { hasPathPrefix } from '../../../sandbox/network/gateway/http-request.ts'
import type { MatchRule, ProxyRule } from '../../../sandbox/network/gateway/rule.ts'

/** What clients of an OpenAI-compatible server ask for. */
const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/responses']

/** Headers by which requests are routed to models. */
const MODEL_HEADER = /^x-(gateway-(base-)?model-name|ai-eg-model|model(-name)?)$/i

/** A request that could be asked, and what is taken on trust about it. */
export interface Asked {
  readonly request: ClientRequest
  readonly assumed: readonly string[]
}

/** Requests a match of an HTTPRoute rule may take, the likeliest first. None where it wants what clients of inference do not send. */
export function requestsFor(
  host: string,
  match: HTTPRouteMatch,
  rule: HTTPRouteRule,
  { bodyBasedRouting }: { bodyBasedRouting: boolean },
): Asked[] {
  if (match.method !== undefined && match.method !== 'POST') return []
  if (match.queryParams?.length) return []
  const headers: Record<string, string> = {}
  const assumed: string[] = []
  let modelHeader: string | undefined
  for (const { name, value, type = 'Exact' } of match.headers ?? []) {
    const isModel = MODEL_HEADER.test(name)
    if (isModel && bodyBasedRouting) modelHeader = name
    else if (type === 'RegularExpression') return []
    else {
      headers[name] = value
      assumed.push(`clients send the header ${name}: ${value}`)
    }
  }
  const { type = 'PathPrefix', value = '/' } = match.path ?? {}
  return pathsUnder(type, value, rewritten(rule)).map((path) => ({
    request: { host, path, headers, ...(modelHeader === undefined ? {} : { modelHeader }) },
    assumed,
  }))
}

const rewritten = ({ filters = [], backendRefs = [] }: HTTPRouteRule): string | undefined =>
  [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])].find((filter) => filter.urlRewrite?.path)?.urlRewrite
    ?.path?.replacePrefixMatch

function pathsUnder(type: string, value: string, replacement: string | undefined): string[] {
  if (type === 'Exact') return [value]
  if (type === 'RegularExpression') return [...PATHS, ...PATHS.map((path) => literalStart(value) + path)]
  const bare = value.replace(/\/$/, '')
  const within = PATHS.filter((path) => hasPathPrefix(path, value))
  const replaced = replacement?.replace(/\/$/, '') ?? ''
  const cut = PATHS.filter((path) => path.startsWith(replaced)).map((path) => bare + path.slice(replaced.length))
  return [...new Set([...within, ...cut, ...PATHS.map((path) => bare + path)])]
}

/** Requests for a path of an Ingress, which may be an expression. */
export function requestsForPath(host: string, path: string): Asked[] {
  const start = literalStart(path).replace(/\/$/, '')
  const paths = [...PATHS, path, ...PATHS.map((one) => start + one)]
  return [...new Set(paths)].map((one) => ({ request: { host, path: one, headers: {} }, assumed: [] }))
}

/** What comes before an expression's first sign that is none of itself. */
const literalStart = (expression: string): string => /^[^\\^$.*+?()[\]{}|]*/.exec(expression)![0]

/** The first request that rules send on to a Service, under a path where it generates. `model` is what requests ask for. */
export function firstThatReaches(
  asked: readonly Asked[],
  rules: MatchRule,
  { services, model }: { services: ReadonlySet<string>; model: string },
): (Asked & { rule: ProxyRule }) | undefined {
  for (const one of asked) {
    const { host, path, headers, modelHeader } = one.request
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const named = modelHeader ? { ...lower, [modelHeader.toLowerCase()]: model } : lower
    const request = { method: 'POST', host, path, query: {}, headers: named }
    const rule = rules(request)
    if (!rule) continue
    const forwarded = rule.rewrite?.(request) ?? request
    const reaches = rule.backends.some(
      ({ service, weight, rewrite }) =>
        service && weight > 0 && services.has(service.key) && PATHS.includes((rewrite?.(forwarded) ?? forwarded).path),
    )
    if (reaches) return { ...one, rule }
  }
  return undefined
}

/** A host name that a name with a wildcard, or none, stands for. */
export const hostFor = (name: string): string =>
  name === '' ? 'inference.example.com' : name.startsWith('*.') ? `inference${name.slice(1)}` : name
