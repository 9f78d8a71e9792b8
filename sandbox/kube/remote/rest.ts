import type * as client from '@kubernetes/client-node'
import { ApiError, type ApiErrorDetails, type ApiReason } from '../errors.ts'

/** An API server as HTTP: paths and JSON. */
export interface Rest {
  /** The answer's JSON. Fails with `ApiError`: the server's own Status, or Unreachable (code 0) when there is no answer. */
  send(request: RestRequest): Promise<unknown>
  /** Calls back for each event of a watch until the server ends it; fails like `send`, and with AbortError when `signal` does. */
  watch(path: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void): Promise<void>
}

export interface RestRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  body?: unknown
  /** Sent as User-Agent. */
  process: string
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: unknown
}

export interface RestOptions {
  /** A kubeconfig as text; without it KUBECONFIG, ~/.kube/config or the service account is taken. */
  kubeconfig?: string
  context?: string
}

/** Tries of a request the server asks to repeat later, as in k8s.io/client-go/rest/with_retry.go. */
const MAX_TRIES = 10

/** Loads `@kubernetes/client-node` (0.3 s, so only here) and reads the kubeconfig. Nothing is sent yet. */
export async function openRest(options: RestOptions = {}): Promise<Rest> {
  const module = await import('@kubernetes/client-node')
  const config = new module.KubeConfig()
  if (options.kubeconfig === undefined) config.loadFromDefault()
  else config.loadFromString(options.kubeconfig)
  if (options.context !== undefined) config.setCurrentContext(options.context)
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new ApiError(0, 'Unreachable', 'the kubeconfig names no current cluster. Choose one with --context')
  return new ClientNodeRest(module, config, cluster.server.replace(/\/$/, ''))
}

class ClientNodeRest implements Rest {
  private readonly module: typeof client
  private readonly config: client.KubeConfig
  private readonly server: string
  private readonly http: client.IsomorphicFetchHttpLibrary
  private dispatcher: ReturnType<client.RequestContext['getDispatcher']>

  constructor(module: typeof client, config: client.KubeConfig, server: string) {
    this.module = module
    this.config = config
    this.server = server
    this.http = new module.IsomorphicFetchHttpLibrary()
  }

  async send(request: RestRequest): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const response = await this.exchange(request)
      const text = await response.body.text()
      if (response.httpStatusCode < 300) return JSON.parse(text)
      const retryAfter = Number(response.headers['retry-after'])
      const later = response.httpStatusCode === 429 || response.httpStatusCode >= 500
      if (!later || !(retryAfter > 0) || tries >= MAX_TRIES) throw errorOf(response.httpStatusCode, text)
      await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000))
    }
  }

  async watch(path: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void): Promise<void> {
    const response = await this.exchange({ method: 'GET', path, process: 'seatrial' }, signal)
    if (response.httpStatusCode !== 200) throw errorOf(response.httpStatusCode, await response.body.text())
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of response.body.stream() ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line) onEvent(JSON.parse(line) as WatchEvent)
      if (signal.aborted) return
    }
  }

  private async exchange(request: RestRequest, signal?: AbortSignal): Promise<client.ResponseContext> {
    const context = new this.module.RequestContext(this.server + request.path, this.module.HttpMethod[request.method])
    await this.config.applySecurityAuthentication(context)
    // the config makes a connection pool for each request; one must serve them all
    this.dispatcher ??= context.getDispatcher()
    if (this.dispatcher) context.setDispatcher(this.dispatcher)
    context.setHeaderParam('Accept', 'application/json')
    context.setHeaderParam('User-Agent', `seatrial/${request.process}`)
    if (request.body !== undefined) {
      context.setHeaderParam(
        'Content-Type',
        request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      )
      context.setBody(JSON.stringify(request.body))
    }
    if (signal) context.setSignal(signal)
    try {
      return await this.http.send(context).toPromise()
    } catch (error) {
      if (signal?.aborted) throw error
      throw unreachable(this.server, error)
    }
  }
}

function unreachable(server: string, error: unknown): ApiError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ApiError(
    0,
    'Unreachable',
    `no answer from ${server}: ${why}. Check that the cluster runs and the kubeconfig`,
  )
}

const REASONS: ReadonlySet<string> = new Set<ApiReason>([
  ...(['NotFound', 'AlreadyExists', 'Conflict', 'Invalid', 'Forbidden', 'BadRequest', 'TooManyRequests'] as const),
  ...(['Expired', 'MethodNotAllowed', 'InternalError'] as const),
])

const BY_CODE: Readonly<Record<number, ApiReason>> = {
  400: 'BadRequest',
  401: 'Forbidden',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
}

/** The error in a metav1.Status body, or in a watch's ERROR event; other bodies are told by their HTTP code. */
export function errorOf(code: number, body: string | object): ApiError {
  let status: { kind?: string; reason?: string; message?: string; code?: number; details?: ApiErrorDetails } = {}
  try {
    status = (typeof body === 'string' ? JSON.parse(body) : body) as typeof status
  } catch {
    status = { message: String(body).slice(0, 200) }
  }
  const answered = status.code ?? code
  const { reason = '' } = status
  const known = REASONS.has(reason) ? (reason as ApiReason) : (BY_CODE[answered] ?? 'InternalError')
  return new ApiError(answered, known, status.message ?? `the server answered ${answered}`, status.details)
}
