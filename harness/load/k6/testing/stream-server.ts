import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StreamServer {
  readonly url: string
  /** When requests came, in milliseconds since 1970, in that order, with the `user` of their bodies and their authorization. */
  readonly arrivals: readonly { readonly at: number; readonly user: unknown; readonly key: string | undefined }[]
  close(): Promise<void>
}

interface Body {
  readonly max_tokens?: number
  readonly user?: unknown
}

/** How it answers. */
export interface StreamOptions {
  readonly firstMs: number
  readonly gapMs: number
  /** What becomes of a request, by its place among them: `cut` breaks the stream, `refuse` answers 503, `hang` says nothing. */
  readonly fate?: (user: unknown) => 'answer' | 'cut' | 'refuse' | 'hang'
}

/** A server of chat completions that streams with fixed pauses: a role, `max_tokens` tokens, usage, the end mark. For tests. */
export async function startStreamServer({
  firstMs,
  gapMs,
  fate = () => 'answer',
}: StreamOptions): Promise<StreamServer> {
  const arrivals: { at: number; user: unknown; key: string | undefined }[] = []
  const server = createServer((request, response) => {
    const at = performance.timeOrigin + performance.now()
    if (request.method !== 'POST') return response.end()
    let text = ''
    request.on('data', (piece: Buffer) => {
      text += piece.toString()
    })
    request.on('end', () => {
      const body = JSON.parse(text) as Body
      arrivals.push({ at, user: body.user, key: request.headers.authorization })
      const its = fate(body.user)
      if (its === 'hang') return
      if (its === 'refuse') {
        response.writeHead(503, { 'content-type': 'application/json' })
        return response.end('{"error":{"message":"overloaded"}}')
      }
      answer(response, { tokens: body.max_tokens ?? 5, firstMs, gapMs, cut: its === 'cut' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(
  response: ServerResponse,
  { tokens, firstMs, gapMs, cut }: { tokens: number; firstMs: number; gapMs: number; cut: boolean },
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const say = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  const piece = (delta: object, finish: string | null = null) =>
    say({ choices: [{ index: 0, delta, finish_reason: finish }] })
  let said = 0
  const next = () => {
    if (said === 0) piece({ role: 'assistant', content: '' })
    said++
    if (cut && said > 1) return response.destroy()
    piece({ content: ` t${said}` }, said === tokens ? 'length' : null)
    if (said < tokens) return setTimeout(next, gapMs)
    say({ choices: [], usage: { prompt_tokens: 7, completion_tokens: tokens, total_tokens: 7 + tokens } })
    return response.end('data: [DONE]\n\n')
  }
  setTimeout(next, firstMs)
}
