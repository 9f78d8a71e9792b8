import { connect, type Socket } from 'node:net'
import type { RecordedRequest, WireAnswer } from './compare/recording.ts'

export interface Destination {
  readonly host: string
  readonly port: number
}

export interface Asking {
  /** Sent as the Host header; the destination’s otherwise. */
  readonly hostHeader?: string
  /** In milliseconds, of silence. */
  readonly timeoutMs?: number
}

/** An answer with what only the connection tells. */
export interface RawAnswer extends WireAnswer {
  readonly version: string
  readonly reason: string
}

/**
 * Asks over a connection of its own, so that names, order and case of headers and the chunks of the body are seen as they were sent.
 * Throws an Error where the connection ends before the answer does.
 */
export function ask(to: Destination, request: RecordedRequest, asking: Asking = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(to.port, to.host)
    const reader = new AnswerReader(request.method)
    const fail = (error: Error) => {
      socket.destroy()
      reject(new Error(`${request.method} ${request.path}: ${error.message}`))
    }
    socket.setNoDelay(true)
    socket.setTimeout(asking.timeoutMs ?? 60_000, () => fail(new Error('no byte for too long')))
    socket.on('error', fail)
    socket.on('data', (bytes) => {
      const answer = reader.read(bytes)
      if (answer) end(socket, answer, resolve)
    })
    socket.on('end', () => {
      const answer = reader.ended()
      if (answer) end(socket, answer, resolve)
      else fail(new Error('the connection ended before the answer'))
    })
    socket.write(requestBytes(request, asking.hostHeader ?? `${to.host}:${to.port}`))
  })
}

function end(socket: Socket, answer: RawAnswer, resolve: (answer: RawAnswer) => void): void {
  socket.destroy()
  resolve(answer)
}

/** The request as Python’s http.client writes it. */
export function requestBytes({ method, path, headers, body }: RecordedRequest, host: string): Buffer {
  const bytes = Buffer.from(body ?? '')
  const lengthWanted = body !== undefined || ['POST', 'PUT', 'PATCH'].includes(method)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Accept-Encoding: identity',
    ...(lengthWanted ? [`Content-Length: ${bytes.length}`] : []),
    ...Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== 'content-length')
      .map(([name, value]) => `${name}: ${value}`),
  ]
  const own = Object.keys(headers).some((name) => name.toLowerCase() === 'accept-encoding')
  const head = (own ? lines.toSpliced(2, 1) : lines).join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes])
}

type Head = Pick<RawAnswer, 'status' | 'headers' | 'version' | 'reason'>

/** Reads one answer, however it is cut into pieces. */
export class AnswerReader {
  readonly #method: string
  #rest = Buffer.alloc(0)
  #head: Head | undefined
  readonly #chunks: Buffer[] = []

  constructor(method: string) {
    this.#method = method
  }

  /** The answer, once it is whole. */
  read(bytes: Buffer): RawAnswer | undefined {
    this.#rest = Buffer.concat([this.#rest, bytes])
    if (this.#head === undefined && !this.#readHead()) return undefined
    const value = (name: string) => this.#head!.headers.find(([key]) => key.toLowerCase() === name)?.[1]
    if (this.#method === 'HEAD' || this.#head!.status === 204 || this.#head!.status === 304) return this.#whole('')
    if (value('transfer-encoding') === 'chunked') return this.#readChunks()
    const length = value('content-length')
    if (length === undefined || this.#rest.length < Number(length)) return undefined
    return this.#whole(this.#rest.subarray(0, Number(length)).toString())
  }

  /** The answer whose body the end of the connection ends. */
  ended(): RawAnswer | undefined {
    const head = this.#head
    if (head === undefined) return undefined
    const bounded = head.headers.some(([key]) => /^(?:content-length|transfer-encoding)$/i.test(key))
    return bounded ? undefined : this.#whole(this.#rest.toString())
  }

  #readHead(): boolean {
    const at = this.#rest.indexOf('\r\n\r\n')
    if (at < 0) return false
    const [first, ...lines] = this.#rest.subarray(0, at).toString('latin1').split('\r\n')
    this.#rest = this.#rest.subarray(at + 4)
    const match = /^(HTTP\/\d\.\d) (\d{3}) (.*)$/.exec(first!)
    if (!match) throw new Error(`no status line: ${first}`)
    const head = {
      version: match[1]!,
      status: Number(match[2]),
      reason: match[3]!,
      headers: lines.map((line): [string, string] => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      }),
    }
    if (head.status === 100) return this.#readHead()
    this.#head = head
    return true
  }

  #readChunks(): RawAnswer | undefined {
    for (;;) {
      const at = this.#rest.indexOf('\r\n')
      if (at < 0) return undefined
      const size = Number.parseInt(this.#rest.subarray(0, at).toString('latin1'), 16)
      if (this.#rest.length < at + 2 + size + 2) return undefined
      const chunk = this.#rest.subarray(at + 2, at + 2 + size)
      this.#rest = this.#rest.subarray(at + 2 + size + 2)
      if (size === 0) return this.#whole(Buffer.concat(this.#chunks).toString(), this.#chunks.map(String))
      this.#chunks.push(Buffer.from(chunk))
    }
  }

  #whole(body: string, chunks?: readonly string[]): RawAnswer {
    return { ...this.#head!, body, ...(chunks && { chunks }) }
  }
}
