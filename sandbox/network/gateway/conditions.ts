import type { HTTPRouteMatch, NamedMatch } from '../../kube/objects.ts'
import { anchored } from '../../metrics/tsdb/regexp.ts'
import { type HttpRequest, hasPathPrefix } from './http-request.ts'

/** One match of an HTTPRoute rule, ready to be asked. All its parts must hold. Throws a RegexpError on an expression RE2 does not take. */
export function compileMatch(match: HTTPRouteMatch): (request: HttpRequest) => boolean {
  const path = compilePath(match.path)
  const headers = firstOfEach(match.headers, (name) => name.toLowerCase()).map(compileNamed)
  const query = firstOfEach(match.queryParams, (name) => name).map(compileNamed)
  return (request) =>
    path(request.path) &&
    (match.method === undefined || match.method === request.method) &&
    headers.every(({ name, holds }) => holds(request.headers[name])) &&
    query.every(({ name, holds }) => holds(request.query[name]))
}

function compilePath({ type = 'PathPrefix', value = '/' }: NonNullable<HTTPRouteMatch['path']> = {}) {
  if (type === 'Exact') return (path: string) => path === value
  if (type === 'PathPrefix') return (path: string) => hasPathPrefix(path, value)
  const expression = anchored(value)
  return (path: string) => expression.test(path)
}

/** Of several entries with one name, only the first counts. */
function firstOfEach(matches: readonly NamedMatch[] = [], nameOf: (name: string) => string): NamedMatch[] {
  const seen = new Map<string, NamedMatch>()
  for (const match of matches) {
    const name = nameOf(match.name)
    if (!seen.has(name)) seen.set(name, { ...match, name })
  }
  return [...seen.values()]
}

function compileNamed({ name, value, type = 'Exact' }: NamedMatch) {
  const expression = type === 'Exact' ? undefined : anchored(value)
  const holds = (given: string | undefined) =>
    given !== undefined && (expression ? expression.test(given) : given === value)
  return { name, holds }
}

/** How a match ranks against others: compare the numbers from the left, the greater first. */
export function rankOf(match: HTTPRouteMatch): readonly number[] {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {}
  // where a regular expression stands is the implementation's to say: between the two, as Envoy Gateway has it
  const sort = type === 'Exact' ? 2 : type === 'RegularExpression' ? 1 : 0
  return [
    sort,
    value.length,
    match.method === undefined ? 0 : 1,
    match.headers?.length ?? 0,
    match.queryParams?.length ?? 0,
  ]
}

/** Less than 0: `a` comes first. */
export function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [i, rank] of a.entries()) if (rank !== b[i]) return b[i]! - rank
  return 0
}
