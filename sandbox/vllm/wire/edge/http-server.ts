import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Header, StreamedAnswer } from '../http.ts'
import type { App, Outlet } from '../router/app.ts'
import { ChunkedAnswer, WriteOrder } from './chunked.ts'
import { headOf } from './head.ts'
import { accessLine, flat, HttpDate, notHttp, noWebsocket, phraseOf } from './lines.ts'

export interface HttpServerOptions {
  readonly app: App
  /** Of the Unix epoch. */
  readonly unixMs: () => number
  /** Seconds an idle connection is kept: `VLLM_HTTP_TIMEOUT_KEEP_ALIVE`. */
  readonly keepAliveSeconds: number
  /** A line of uvicorn's logs. `path` is set for those of requests. */
  log(line: string, path?: string): void
  /** PEM texts; set: it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
  /** Told after each write of a stream to its socket. */
  readonly wrote?: () => void
}

/** An HTTP server that answers byte for byte as uvicorn does. It refuses connections until `listen`. */
// follows uvicorn/protocols/http/httptools_impl.py
export class HttpServer {
  private readonly server: Server
  private readonly options: HttpServerOptions
  private readonly date: HttpDate
  private readonly order = new WriteOrder()
  /** Open connections, with the number of requests that wait for their answers. */
  private readonly sockets = new Map<Socket, number>()
  private closing = false
  private onEmpty: (() => void) | undefined

  constructor(options: HttpServerOptions) {
    this.options = options
    this.date = new HttpDate(options.unixMs)
    this.server = this.create()
    // httptools has no limits of this kind
    Object.assign(this.server, {
      keepAliveTimeout: options.keepAliveSeconds * 1e3,
      keepAliveTimeoutBuffer: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      timeout: 0,
      maxHeadersCount: 0,
    })
    this.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.serve(request, response, () => response.writeContinue()),
    )
    this.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.serve(request, response),
    )
    this.server.on('connection', (socket: Socket) => this.connected(socket))
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.refuse(error, socket))
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.upgrade(request, socket))
  }

  /** Takes connections from now on. Port 0 is a free one; returns the port. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ port, host, backlog: 2048 }, () => {
        this.server.off('error', reject)
        resolve((this.server.address() as AddressInfo).port)
      })
    })
  }

  /** Connections open now. */
  get connections(): number {
    return this.sockets.size
  }

  /** New connections are refused, idle ones closed; those with answers under way end with them. */
  close(onEmpty: () => void): void {
    this.closing = true
    this.onEmpty = onEmpty
    this.server.close()
    for (const [socket, requests] of this.sockets) if (requests === 0) socket.end()
    if (this.sockets.size === 0) onEmpty()
  }

  /** Cuts every connection. */
  destroy(): void {
    this.closing = true
    this.server.close()
    for (const socket of this.sockets.keys()) socket.resetAndDestroy()
  }

  private create(): Server {
    const listener: RequestListener = (request, response) => this.serve(request, response)
    const options = {
      requireHostHeader: false,
      joinDuplicateHeaders: false,
      maxHeaderSize: 64 * 2 ** 20,
      noDelay: true,
      shouldUpgradeCallback: (request: IncomingMessage) =>
        request.headers.upgrade?.toLowerCase() === 'websocket' &&
        /(^|,)\s*upgrade\s*(,|$)/i.test(request.headers.connection ?? ''),
    }
    const { tls } = this.options
    return tls
      ? (createSecureServer({ ...options, ...tls }, listener) as unknown as Server)
      : createServer(options, listener)
  }

  private connected(socket: Socket): void {
    this.sockets.set(socket, 0)
    // each answer of several prompts waits for a slow reader by itself
    socket.setMaxListeners(0)
    socket.on('close', () => {
      this.sockets.delete(socket)
      if (this.closing && this.sockets.size === 0) this.onEmpty?.()
    })
  }

  private serve(request: IncomingMessage, response: ServerResponse, goOn?: () => void): void {
    const { socket } = request
    const head = headOf(request, `${socket.localAddress}:${socket.localPort}`)
    if (!head) {
      this.refuse({ code: 'HPE_INVALID_URL' }, socket)
      return
    }
    const outlet = new SocketOutlet(request, response, {
      date: () => this.date.now,
      closing: () => this.closing,
      order: this.order,
      wrote: this.options.wrote,
      log: (status) => {
        const client = `${socket.remoteAddress}:${socket.remotePort}`
        const line = accessLine(client, head.method, head.target, request.httpVersion, status)
        this.options.log(line, head.path)
      },
    })
    this.sockets.set(socket, (this.sockets.get(socket) ?? 0) + 1)
    const left: { call: (() => void) | undefined } = { call: undefined }
    response.on('close', () => {
      if (this.sockets.has(socket)) this.sockets.set(socket, this.sockets.get(socket)! - 1)
      outlet.closed()
      if (!response.writableFinished) left.call?.()
    })
    const admission = this.options.app.admit(head, outlet, left)
    if (!admission.readsBody) {
      request.resume()
      return
    }
    goOn?.()
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => admission.run(parts.length === 1 ? parts[0]! : Buffer.concat(parts)))
  }

  private refuse(error: { code?: string | undefined }, socket: Socket): void {
    const garbage = error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE'
    if (!garbage || !socket.writable) {
      socket.destroy()
      return
    }
    this.options.log('WARNING:  Invalid HTTP request received.')
    socket.end(notHttp(this.date.now), () => socket.destroySoon())
  }

  private upgrade(request: IncomingMessage, socket: Socket): void {
    const target = headOf(request, '')?.target ?? '/'
    this.options.log(`INFO:     ${socket.remoteAddress}:${socket.remotePort} - "WebSocket ${target}" 403`)
    this.options.log('INFO:     connection rejected (403 Forbidden)')
    this.options.log('INFO:     connection closed')
    socket.end(noWebsocket(this.date.now))
  }
}

interface SocketOutletOptions {
  date(): string
  closing(): boolean
  readonly order: WriteOrder
  readonly wrote: (() => void) | undefined
  log(status: number): void
}

/** One answer on its way to a socket. */
class SocketOutlet implements Outlet {
  private readonly response: ServerResponse
  private readonly head: boolean
  private readonly close: boolean
  private readonly options: SocketOutletOptions
  private chunked: ChunkedAnswer | undefined

  constructor(request: IncomingMessage, response: ServerResponse, options: SocketOutletOptions) {
    this.response = response
    this.head = request.method === 'HEAD'
    this.close = request.httpVersion === '1.0' || !response.shouldKeepAlive
    this.options = options
  }

  whole(status: number, headers: readonly Header[], body: string | Uint8Array): void {
    this.begin(status, this.connection(headers))
    if (this.head || body.length === 0) this.response.end()
    // with a text Node writes the head in its encoding, too, which is not that of heads
    else this.response.end(typeof body === 'string' ? Buffer.from(body) : body)
  }

  stream(headers: readonly Header[]): StreamedAnswer {
    const own = this.connection(headers)
    this.begin(200, this.head ? own : [...own, ['transfer-encoding', 'chunked']])
    this.response.flushHeaders()
    if (this.head) return { write: () => undefined, end: () => this.response.end(), cut: () => this.response.destroy() }
    this.chunked = new ChunkedAnswer(this.response, this.options.order, this.options.wrote)
    return this.chunked
  }

  closed(): void {
    this.chunked?.close()
  }

  private connection(headers: readonly Header[]): readonly Header[] {
    return this.close || this.options.closing() ? [...headers, ['connection', 'close']] : headers
  }

  private begin(status: number, headers: readonly Header[]): void {
    const { response, options } = this
    options.log(status)
    response.sendDate = false
    response.removeHeader('connection')
    response.writeHead(status, phraseOf(status), flat(options.date(), headers))
  }
}
