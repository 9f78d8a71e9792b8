/** The head of a request as a proxy sees it. */
export interface HttpRequest {
  readonly method: string
  /** Without a port, in lower case. */
  readonly host: string
  /** Starts with `/`, without a query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

/** Whether a host is one that a name of a listener, a route or an Ingress stands for. `*.` stands for one label or more. */
export function hostMatches(name: string | undefined, host: string): boolean {
  if (!name) return true
  if (!name.startsWith('*.')) return name === host
  return host.endsWith(name.slice(1)) && host.length > name.length - 1
}

/**
 * A path by whole elements: `/v1` is the prefix of `/v1` and `/v1/models`, not of `/v10`. A slash at the prefix's end does not count.
 */
export function hasPathPrefix(path: string, prefix: string): boolean {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  return path === bare || path.startsWith(`${bare}/`)
}

/** The path with its prefix replaced, with one slash between the two. */
export function replacePathPrefix(path: string, prefix: string, replacement: string): string {
  const rest = path.slice(prefix.endsWith('/') ? prefix.length - 1 : prefix.length)
  const head = replacement.endsWith('/') ? replacement.slice(0, -1) : replacement
  const tail = rest === '' || rest.startsWith('/') ? rest : `/${rest}`
  return `${head}${tail}` || '/'
}
