/** What is told of one response. Body text has one character a byte. */
export interface ResponseSink {
  /** Names in lower case; of several the last. */
  head(status: number, headers: ReadonlyMap<string, string>): void
  body(text: string): void
  /** The response is whole; `reusable`: the connection may carry another request. */
  end(reusable: boolean): void
}

/** The response breaks the rules of HTTP/1.1. */
export class BadResponse extends Error {
  override readonly name = 'BadResponse'
}

const HEAD_MAX = 1 << 16

type State = 'head' | 'length' | 'until-close' | 'size' | 'chunk' | 'after-chunk' | 'trailer' | 'over'

/** Reads HTTP/1.1 responses on a connection, one after another, as bytes come in. Follows RFC 9112. */
export class ResponseReader {
  private sink: ResponseSink | undefined
  private state: State = 'over'
  private rest = ''
  /** Bytes of the body or chunk that are still to come. */
  private left = 0
  private reusable = true

  /** A request has been sent: what comes is its answer. */
  begin(sink: ResponseSink): void {
    this.sink = sink
    this.state = 'head'
    this.rest = ''
    this.reusable = true
  }

  /** Throws BadResponse. */
  push(piece: string): void {
    let text = piece
    if (this.rest !== '') {
      text = this.rest + piece
      this.rest = ''
    }
    let at = 0
    while (at < text.length) {
      const next = this.step(text, at)
      if (next < 0) {
        this.rest = text.slice(at)
        if (this.rest.length > HEAD_MAX) throw new BadResponse('a head or chunk line without end')
        return
      }
      at = next
    }
  }

  /** The peer has closed its side. False: in the middle of a response. */
  closed(): boolean {
    if (this.state !== 'until-close') return this.state === 'over'
    this.finish(false)
    return true
  }

  /** Takes what it can from `at` on. Returns where it goes on, or -1 where more must come first. */
  private step(text: string, at: number): number {
    switch (this.state) {
      case 'head':
        return this.readHead(text, at)
      case 'size': {
        const end = text.indexOf('\r\n', at)
        if (end < 0) return -1
        const size = Number.parseInt(text.slice(at, end), 16)
        if (!(size >= 0)) throw new BadResponse('a chunk without a size')
        this.left = size
        this.state = size === 0 ? 'trailer' : 'chunk'
        return end + 2
      }
      case 'chunk':
      case 'length':
        return this.readBody(text, at)
      case 'after-chunk':
        if (text.length - at < 2) return -1
        if (!text.startsWith('\r\n', at)) throw new BadResponse('a chunk longer than its size')
        this.state = 'size'
        return at + 2
      case 'trailer': {
        const end = text.indexOf('\r\n', at)
        if (end < 0) return -1
        if (end === at) this.finish(this.reusable)
        return end + 2
      }
      case 'until-close':
        this.sink!.body(text.slice(at))
        return text.length
      case 'over':
        throw new BadResponse('bytes that nobody asked for')
    }
  }

  private readBody(text: string, at: number): number {
    const taken = Math.min(this.left, text.length - at)
    this.left -= taken
    const { state } = this
    if (this.left === 0 && state === 'chunk') this.state = 'after-chunk'
    this.sink!.body(at === 0 && taken === text.length ? text : text.slice(at, at + taken))
    if (this.left === 0 && state === 'length') this.finish(this.reusable)
    return at + taken
  }

  private readHead(text: string, at: number): number {
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) return -1
    const [first = '', ...lines] = text.slice(at, end).split('\r\n')
    const [, minor, code] = /^HTTP\/1\.(\d) (\d{3})(?: |$)/.exec(first) ?? []
    if (code === undefined) throw new BadResponse('no HTTP/1.1 status line')
    const status = Number(code)
    // 100 and 103 come before the answer
    if (status < 200) return end + 4
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    const connection = headers.get('connection')?.toLowerCase() ?? ''
    this.reusable = minor === '1' ? !connection.includes('close') : connection.includes('keep-alive')
    this.beginBody(status, headers)
    return end + 4
  }

  private beginBody(status: number, headers: ReadonlyMap<string, string>): void {
    const length = headers.get('content-length')
    const chunked = headers.get('transfer-encoding')?.toLowerCase().includes('chunked') ?? false
    this.left = chunked ? 0 : Number(length ?? 0)
    if (!(this.left >= 0)) throw new BadResponse('a Content-Length that is no number')
    const empty = status === 204 || status === 304 || (length !== undefined && this.left === 0 && !chunked)
    this.state = chunked ? 'size' : length === undefined ? 'until-close' : 'length'
    this.sink!.head(status, headers)
    if (empty) this.finish(this.reusable)
  }

  private finish(reusable: boolean): void {
    this.state = 'over'
    this.sink!.end(reusable)
  }
}
