import type { Header, WholeAnswer } from '../http.ts'

/** `--allowed-origins`, `--allowed-methods`, `--allowed-headers`, `--allow-credentials`. */
export interface CorsFlags {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly credentials: boolean
}

const ALL_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY']
const SAFELISTED = ['Accept', 'Accept-Language', 'Content-Language', 'Content-Type']
const PREFLIGHT_VARY =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network'

type Headers = ReadonlyMap<string, string>

/** Cross-origin requests, as Starlette's middleware answers them. */
// follows starlette/middleware/cors.py
export class Cors {
  private readonly flags: CorsFlags
  private readonly methods: readonly string[]
  private readonly allOrigins: boolean
  private readonly allHeaders: boolean
  private readonly listed: readonly string[]

  constructor(flags: CorsFlags) {
    this.flags = flags
    this.methods = flags.methods.includes('*') ? ALL_METHODS : flags.methods
    this.allOrigins = flags.origins.includes('*')
    this.allHeaders = flags.headers.includes('*')
    this.listed = [...new Set([...SAFELISTED, ...flags.headers])].sort()
  }

  /** The answer to a preflight request; undefined: it is none. */
  preflight(method: string, request: Headers): WholeAnswer | undefined {
    const origin = request.get('origin')
    const asked = request.get('access-control-request-method')
    if (method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined
    const headers = this.preflightHeaders()
    const failures = [
      ...this.originFailure(origin, headers),
      ...(this.methods.includes(asked) ? [] : ['method']),
      ...this.headerFailure(request.get('access-control-request-headers'), headers),
      ...(request.has('access-control-request-private-network') ? ['private-network'] : []),
    ]
    const contentType = 'text/plain; charset=utf-8'
    const answer = { contentType, headers: [...headers] }
    return failures.length > 0
      ? { ...answer, status: 400, body: `Disallowed CORS ${failures.join(', ')}` }
      : { ...answer, status: 200, body: 'OK' }
  }

  /** What it adds to every other answer. */
  simple(request: Headers): readonly Header[] {
    const origin = request.get('origin')
    if (origin === undefined) return VARY
    const { credentials } = this.flags
    const credentialed: Header[] = credentials ? [['access-control-allow-credentials', 'true']] : []
    if (this.allOrigins && !credentials) return [['access-control-allow-origin', '*'], ...VARY]
    if (!this.allows(origin)) return [...credentialed, ...VARY]
    return this.allOrigins
      ? [['access-control-allow-origin', origin], ...credentialed, ...VARY]
      : [...credentialed, ['access-control-allow-origin', origin], ...VARY]
  }

  private preflightHeaders(): Map<string, string> {
    const { credentials } = this.flags
    return new Map([
      ['vary', PREFLIGHT_VARY],
      ...(this.allOrigins && !credentials ? ([['access-control-allow-origin', '*']] as const) : []),
      ['access-control-allow-methods', this.methods.join(', ')],
      ['access-control-max-age', '600'],
      ...(this.allHeaders ? [] : ([['access-control-allow-headers', this.listed.join(', ')]] as const)),
      ...(credentials ? ([['access-control-allow-credentials', 'true']] as const) : []),
    ])
  }

  private originFailure(origin: string, headers: Map<string, string>): string[] {
    if (!this.allows(origin)) return ['origin']
    if (!this.allOrigins || this.flags.credentials) headers.set('access-control-allow-origin', origin)
    return []
  }

  private headerFailure(asked: string | undefined, headers: Map<string, string>): string[] {
    if (asked === undefined) return []
    if (this.allHeaders) {
      headers.set('access-control-allow-headers', asked)
      return []
    }
    const listed = this.listed.map((name) => name.toLowerCase())
    return asked.split(',').every((name) => listed.includes(name.toLowerCase().trim())) ? [] : ['headers']
  }

  private allows(origin: string): boolean {
    return this.allOrigins || this.flags.origins.includes(origin)
  }
}

const VARY: readonly Header[] = [['vary', 'Origin']]
