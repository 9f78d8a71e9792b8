import type { Route } from './route.ts'

/** What there is for a method and a path. */
export type Match =
  | { readonly kind: 'found'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** `allow`: what the header of that name says. */
  | { readonly kind: 'wrong-method'; readonly route: Route; readonly allow: string }
  /** The same path with a slash more or less at its end; `route` takes the method too. */
  | { readonly kind: 'redirect'; readonly path: string; readonly route: Route | undefined }
  | { readonly kind: 'none' }

/** Finds routes as Starlette does: the first that takes path and method, else the first that takes the path. */
// follows starlette/routing.py Router.app
export class Router {
  readonly routes: readonly Route[]
  private readonly patterns: readonly RegExp[]

  constructor(routes: readonly Route[]) {
    this.routes = routes
    this.patterns = routes.map(patternOf)
  }

  match(method: string, path: string): Match {
    let partial: Route | undefined
    for (const [i, route] of this.routes.entries()) {
      const groups = this.patterns[i]!.exec(path)
      if (!groups) continue
      if (takes(route, method)) return { kind: 'found', route, params: { ...groups.groups } }
      partial ??= route
    }
    if (partial) return { kind: 'wrong-method', route: partial, allow: partial.methods.join(', ') }
    const other = otherSlash(path)
    if (other === undefined) return { kind: 'none' }
    const there = this.routes.filter((_, i) => this.patterns[i]!.test(other))
    if (there.length === 0) return { kind: 'none' }
    return { kind: 'redirect', path: other, route: there.find((route) => takes(route, method)) }
  }
}

const takes = ({ mount, methods }: Route, method: string): boolean =>
  mount === true || (methods as readonly string[]).includes(method)

function patternOf({ path, mount }: Route): RegExp {
  const escaped = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  const pattern = escaped.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return new RegExp(mount ? `^${pattern}` : `^${pattern}$`, 's')
}

function otherSlash(path: string): string | undefined {
  if (path === '/') return undefined
  return path.endsWith('/') ? path.replace(/\/+$/, '') : `${path}/`
}
