import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ms, type Us } from '../../../../sandbox/world/time.ts'
import { WallClock } from '../../../../sandbox/world/wall-clock.ts'

/** What a server does with a request for tokens. */
export type Behaviour =
  | {
      readonly kind: 'stream'
      /** From the request to the first token, and from one to the next. */
      readonly ttftUs: Us
      readonly itlUs?: Us
      /** Default: as many as asked. */
      readonly tokens?: number
      readonly finishReason?: string | undefined
      /** After the tokens. Default: `done`. `quiet`: the response ends without its mark. */
      readonly end?: 'done' | 'quiet' | 'cut' | 'error'
    }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }

export interface ScriptedServer extends AsyncDisposable {
  readonly url: URL
  /** Bodies of requests for tokens, and when they came, on the server's clock. */
  readonly asked: { readonly body: Record<string, unknown>; readonly at: Us }[]
  readonly connections: () => number
  readonly mostOpen: () => number
  /** Closes the connections that are idle. */
  hangUpIdle(): void
}

/** Tokens of a prompt as this server counts them: its words, and those of a template. */
const TEMPLATE_TOKENS = 7

/** A server of the OpenAI API whose every answer, and its timing, is known; `behave` says what the n-th request meets. */
export async function scriptedServer(
  behave: (n: number, now: Us) => Behaviour,
  { models = [{ id: 'm', max_model_len: 4096 }] }: { models?: readonly object[] } = {},
): Promise<ScriptedServer> {
  const clock = WallClock.fromNow()
  const asked: ScriptedServer['asked'] = []
  const sockets = new Set<Socket>()
  let [connections, mostOpen] = [0, 0]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => {
      body += piece
    })
    request.on('end', () => {
      const json = (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>
      if (request.url === '/v1/models') return whole(response, 200, { data: models })
      if (request.url === '/tokenize') return whole(response, 200, { count: tokensIn(json) })
      if (request.method !== 'POST') return whole(response, 404, { error: { message: 'Not Found' } })
      asked.push({ body: json, at: clock.now })
      perform(behave(asked.length - 1, clock.now), json, request, response, clock)
    })
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    mostOpen = Math.max(mostOpen, sockets.size)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    asked,
    connections: () => connections,
    mostOpen: () => mostOpen,
    hangUpIdle: () => server.closeIdleConnections(),
    async [Symbol.asyncDispose]() {
      clock.stop()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function whole(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function tokensIn(json: Record<string, unknown>): number {
  const messages = json['messages'] as { content: string }[] | undefined
  const text = messages?.[0]?.content ?? (json['prompt'] as string)
  return text.split(' ').length + (messages ? TEMPLATE_TOKENS : 0)
}

function perform(
  behaviour: Behaviour,
  json: Record<string, unknown>,
  request: IncomingMessage,
  response: ServerResponse,
  clock: WallClock,
): void {
  if (behaviour.kind === 'hang') return
  if (behaviour.kind === 'reset') {
    request.socket.resetAndDestroy()
    return
  }
  if (behaviour.kind === 'status') {
    whole(response, behaviour.status, behaviour.body ?? {}, behaviour.headers)
    return
  }
  const {
    ttftUs,
    itlUs = ms(1),
    tokens = json['max_tokens'] as number,
    finishReason = 'length',
    end = 'done',
  } = behaviour
  const write = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`)
  const usage = { prompt_tokens: tokensIn(json), completion_tokens: tokens }
  const piece = (delta: object, reason: string | null) =>
    write({ choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] })
  const finish = () => {
    if (end === 'cut') {
      // what was written goes out first
      clock.after(ms(20), () => response.destroy())
      return
    }
    if (end === 'error') write({ error: { message: 'the engine died', type: 'InternalServerError', code: 500 } })
    else write({ choices: [], usage })
    response.end(end === 'quiet' ? '' : 'data: [DONE]\n\n')
  }
  const begun = clock.now
  const token = (i: number) => {
    if (i === 0) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      piece({ role: 'assistant', content: '' }, null)
    }
    if (i < tokens)
      piece({ content: ` w${i}` }, i === tokens - 1 && end !== 'cut' && end !== 'error' ? finishReason : null)
    if (i === 0 && tokens === 0) piece({ content: '' }, finishReason)
    if (i < tokens - 1) clock.at(begun + ttftUs + (i + 1) * itlUs, () => token(i + 1))
    else finish()
  }
  clock.at(begun + ttftUs, () => token(0))
}
