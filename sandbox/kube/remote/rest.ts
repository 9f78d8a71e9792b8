import type { ConnectionOptions } from 'node:tls'
import type { KubeConfig } from '@kubernetes/client-node'
import { ApiError, type ApiErrorDetails, type ApiReason } from '../errors.ts'
import { FetchTransport } from './fetch-transport.ts'
import { type Credentials, Http2Transport } from './http2-transport.ts'
import { plainAccess } from './plain-kubeconfig.ts'
import type { Transport } from './transport.ts'

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

/**
 * Reads the kubeconfig; nothing is sent yet. Loads `@kubernetes/client-node`, which takes half a second, where the kubeconfig is none of
 * the plainest.
 */
export async function openRest(options: RestOptions = {}): Promise<Rest> {
  const plain = options.kubeconfig === undefined ? undefined : plainAccess(options.kubeconfig, options.context)
  if (!plain) return openByClient(options)
  const otherwise = async () => (await byClient(options)).fetch
  return new HttpRest(
    plain.server,
    new Http2Transport({ server: plain.server, credentials: async () => plain, otherwise }),
  )
}

async function openByClient(options: RestOptions): Promise<Rest> {
  const { server, proxied, credentials, fetch } = await byClient(options)
  const direct = server.startsWith('https:') && !proxied
  return new HttpRest(
    server,
    direct ? new Http2Transport({ server, credentials, otherwise: async () => fetch }) : fetch,
  )
}

async function byClient(options: RestOptions) {
  const module = await import('@kubernetes/client-node')
  const config = new module.KubeConfig()
  if (options.kubeconfig === undefined) config.loadFromDefault()
  else config.loadFromString(options.kubeconfig)
  if (options.context !== undefined) config.setCurrentContext(options.context)
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new ApiError(0, 'Unreachable', 'the kubeconfig names no current cluster. Choose one with --context')
  const server = cluster.server.replace(/\/$/, '')
  return {
    server,
    proxied: cluster.proxyUrl !== undefined,
    credentials: () => credentialsOf(config),
    fetch: new FetchTransport(module, config, server),
  }
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: ConnectionOptions & { headers?: Record<string, string>; auth?: string } = {}
  await config.applyToHTTPSOptions(options)
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options
  const basic: Record<string, string> =
    auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  return { tls: { ca, cert, key, servername, rejectUnauthorized }, headers: { ...options.headers, ...basic } }
}

class HttpRest implements Rest {
  private readonly server: string
  private readonly transport: Transport

  constructor(server: string, transport: Transport) {
    this.server = server
    this.transport = transport
  }

  async send(request: RestRequest): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const { status, retryAfter, text } = await this.exchange(request)
      if (status < 300) return this.parsed(text)
      const seconds = Number(retryAfter)
      const later = status === 429 || status >= 500
      if (!later || !(seconds > 0) || tries >= MAX_TRIES) throw errorOf(status, text)
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    }
  }

  async watch(path: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void): Promise<void> {
    try {
      const { status, text, chunks } = await this.transport.exchange(
        { method: 'GET', path, headers: headersOf('informers') },
        signal,
      )
      if (status !== 200) throw errorOf(status, await text())
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of chunks()) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop()!
        for (const line of lines) if (line) onEvent(JSON.parse(line) as WatchEvent)
        if (signal.aborted) return
      }
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) throw error
      throw unreachable(this.server, error)
    }
  }

  /** An answer that broke off is none. */
  private parsed(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw unreachable(this.server, error)
    }
  }

  private async exchange({ method, path, body, process }: RestRequest) {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    try {
      const { status, retryAfter, text } = await this.transport.exchange({
        ...{ method, path },
        headers: body === undefined ? headersOf(process) : { ...headersOf(process), 'content-type': type },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status, retryAfter, text: await text() }
    } catch (error) {
      throw unreachable(this.server, error)
    }
  }
}

const headersOf = (process: string) => ({ accept: 'application/json', 'user-agent': `seatrial/${process}` })

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
