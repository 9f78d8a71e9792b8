import type { RandomStream } from '../../../world/random.ts'
import type { Us } from '../../../world/time.ts'
import type { CountedRequest } from '../../server/http-metrics.ts'
import type { Header, Reply, StreamedAnswer, WholeAnswer, WireRequest } from '../http.ts'
import type { Serving } from '../serving.ts'
import { answerOf, json } from './answers.ts'
import { authorised } from './authenticate.ts'
import { Cors } from './cors.ts'
import { refusalLog } from './refusal-log.ts'
import type { Route } from './route.ts'
import { type Match, Router } from './router.ts'

/** A request of which the body is not read yet. */
export interface Head extends Omit<WireRequest, 'body' | 'params'> {
  /** The server's own address, for where no Host is named. */
  readonly authority: string
}

/** An answer some headers of which come after its length. */
interface LateHeaders extends WholeAnswer {
  readonly late?: readonly Header[]
}

/** Where an answer goes: a socket, or a test. Headers are whole but for date, server and those of the connection. */
export interface Outlet {
  whole(status: number, headers: readonly Header[], body: string | Uint8Array): void
  stream(headers: readonly Header[]): StreamedAnswer
}

/** What is to be done with a request: it is answered already, or by its handler once the body is there. */
export type Admission = { readonly readsBody: false } | { readonly readsBody: true; run(body: Uint8Array): void }

/** What was answered, for the `http_` metrics; of a stream when it ends, or when its client leaves. */
export interface Answered extends Omit<CountedRequest, 'seconds'> {
  readonly durationUs: Us
}

export interface AppOptions {
  readonly serving: Serving
  readonly routes: readonly Route[]
  answered?(answered: Answered): void
}

/** The application behind the HTTP server: middleware around routes, in the order in which vLLM adds them. */
// follows vllm/entrypoints/launchers/app.py and vllm/entrypoints/serve/middleware/register.py
export class App {
  private readonly serving: Serving
  private readonly router: Router
  private readonly handlers: ReadonlyMap<Route, ReturnType<Route['handler']>>
  private readonly cors: Cors
  private readonly answered: (answered: Answered) => void

  constructor({ serving, routes, answered = () => undefined }: AppOptions) {
    this.serving = serving
    this.router = new Router(routes.filter((route) => route.when?.(serving) ?? true))
    this.handlers = new Map(this.router.routes.map((route) => [route, route.handler(serving)]))
    this.cors = new Cors(serving.flags.cors)
    this.answered = answered
  }

  /** Begins with a request. `left` is set by it to what is to be done when the client leaves. */
  admit(head: Head, outlet: Outlet, left: { call: (() => void) | undefined }): Admission {
    const { flags } = this.serving
    const answer = new Answer(this.serving, head, outlet, this.answered)
    if (!authorised(flags.apiKeys, head)) {
      answer.send(json({ error: 'Unauthorized' }, 401))
      return ANSWERED
    }
    const preflight = this.cors.preflight(head.method, head.headers)
    if (preflight) {
      answer.send(preflight)
      return ANSWERED
    }
    const match = this.router.match(head.method, head.path)
    answer.pass(this.cors.simple(head.headers), handlerOf(match, head))
    if (match.kind !== 'found') {
      answer.whole(withoutRoute(match, head))
      return ANSWERED
    }
    const run = (body: Uint8Array) => this.run(match.route, { ...head, body, params: match.params }, answer, left)
    if (head.method === 'POST' || head.method === 'DELETE') return { readsBody: true, run }
    run(NOTHING)
    return ANSWERED
  }

  private run(route: Route, request: WireRequest, answer: Answer, left: { call: (() => void) | undefined }): void {
    const { load, flags } = this.serving
    if (route.counted && flags.enableServerLoadTracking) {
      load.requests++
      answer.onEnd = () => load.requests--
    }
    try {
      const leave = this.handlers.get(route)!(request, answer)
      left.call = () => {
        leave?.()
        answer.left()
      }
    } catch (error) {
      const logged = refusalLog(route.path, error)
      if (logged) this.serving.log(logged)
      answer.whole(answerOf(error))
    }
  }
}

const ANSWERED: Admission = { readsBody: false }
const NOTHING = new Uint8Array()
/** What a handler answers that is told of its client's leaving: `null`. */
const LEFT_BYTES = 4

/** One answer, on its way out through the middleware. */
class Answer implements Reply {
  onEnd: (() => void) | undefined
  private cors: readonly Header[] = []
  private handler: string | undefined
  /** It has come as far as the middleware that counts. */
  private counts = false
  private readonly serving: Serving
  private readonly head: Head
  private readonly outlet: Outlet
  private readonly answered: (answered: Answered) => void
  private readonly since: Us
  private ended = false
  private streams = false

  constructor(serving: Serving, head: Head, outlet: Outlet, answered: (answered: Answered) => void) {
    this.serving = serving
    this.head = head
    this.outlet = outlet
    this.answered = answered
    this.since = serving.clock.now
  }

  /** It may reach the routes. */
  pass(cors: readonly Header[], handler: string | undefined): void {
    this.cors = cors
    this.handler = handler
    this.counts = true
  }

  whole(answer: LateHeaders): void {
    if (!this.ended) this.send(answer)
  }

  stream(contentType: string, headers: readonly Header[] = [], late: readonly Header[] = []): StreamedAnswer {
    this.streams = true
    const stream = this.outlet.stream([
      ...headers,
      ['content-type', contentType],
      ...late,
      ...this.cors,
      ...requestId(this.serving, this.head),
    ])
    return {
      write: (chunk) => stream.write(chunk),
      end: () => {
        stream.end()
        this.end(200, 0)
      },
      cut: () => {
        stream.cut()
        this.end(200, 0)
      },
      congested: (then) => stream.congested?.(then) ?? false,
    }
  }

  send({ status, contentType, headers = [], late = [], body, bare }: LateHeaders): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    const lines: Header[] = [
      ...headers,
      ['content-length', String(length)],
      ...(contentType === undefined ? [] : [['content-type', contentType] as const]),
      ...late,
      ...(bare ? [] : [...this.cors, ...requestId(this.serving, this.head)]),
    ]
    this.outlet.whole(status, lines, body)
    // of an exception that goes through it the middleware that counts sees no answer
    if (bare) this.end(500, 0)
    else this.end(status, length)
  }

  /** The client has gone: counted as what was on its way. */
  left(): void {
    this.end(200, this.streams ? 0 : LEFT_BYTES)
  }

  private end(status: number, responseBytes: number): void {
    if (this.ended) return
    this.ended = true
    this.onEnd?.()
    if (!this.counts) return
    const { handler, head } = this
    const { method, path, headers } = head
    const durationUs = this.serving.clock.now - this.since
    const requestBytes = Number(headers.get('content-length')) || 0
    this.answered({
      handler,
      path,
      method,
      status,
      requestBytes,
      responseBytes,
      durationUs,
    })
  }
}

// follows vllm/entrypoints/serve/middleware/x_request_id.py
function requestId({ flags, random }: Serving, { headers }: Head): readonly Header[] {
  return flags.enableRequestIdHeaders ? [['x-request-id', headers.get('x-request-id') ?? uuid4Hex(random)]] : []
}

/** 32 hexadecimal digits, as `uuid4().hex`. */
export function uuid4Hex(random: RandomStream): string {
  const digits = Array.from({ length: 32 }, () => random.int(16))
  digits[12] = 4
  digits[16] = 8 + (digits[16]! & 3)
  return digits.map((digit) => digit.toString(16)).join('')
}

/** The route as metrics name it; of a redirect with the slash that was asked for. */
// follows prometheus_fastapi_instrumentator/routing.py get_route_name
function handlerOf(match: Match, { path }: Head): string | undefined {
  if (match.kind === 'found') return match.route.path
  if (match.kind !== 'redirect' || !match.route) return undefined
  return path.endsWith('/') ? `${match.route.path}/` : match.route.path.slice(0, -1)
}

/** What Starlette itself answers: vLLM's error object is only for what its handlers raise. */
function withoutRoute(match: Exclude<Match, { kind: 'found' }>, head: Head): LateHeaders {
  if (match.kind === 'none') return json({ detail: 'Not Found' }, 404)
  if (match.kind === 'wrong-method') return json({ detail: 'Method Not Allowed' }, 405, [['allow', match.allow]])
  const query = /\?[^#]*/.exec(head.target)?.[0] ?? ''
  const host = head.headers.get('host') ?? head.authority
  const location = quoted(`http://${host}${match.path}${query}`)
  return { status: 307, body: '', late: [['location', location]] }
}

/** As RedirectResponse quotes a URL. */
const quoted = (url: string): string =>
  encodeURI(url)
    .replace(/%25(?=[0-9A-Fa-f]{2})/g, '%')
    .replace(/%5B/g, '[')
    .replace(/%5D/g, ']')
