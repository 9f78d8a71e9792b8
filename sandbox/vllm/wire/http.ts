/** A request, read whole. */
export interface WireRequest {
  /** As sent. */
  readonly method: string
  /** Path and query as sent, for the access log. */
  readonly target: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case; of a name sent twice, the first, as Starlette's `headers.get` gives it. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** What stands in a template of the route: `{adapter_name}`. */
  readonly params: Readonly<Record<string, string>>
}

export type Header = readonly [name: string, value: string]

/** An answer that goes out at once, with its length. */
export interface WholeAnswer {
  readonly status: number
  /** Left out: no content-type, as of empty answers. */
  readonly contentType?: string
  /** Those of the handler; date, server, length and the middleware's are added at the edge. */
  readonly headers?: readonly Header[]
  readonly body: string | Uint8Array
  /** Of an exception nothing has caught: Starlette answers outside all other middleware, so that its headers are missing. */
  readonly bare?: true
}

/** An answer in chunks, with status 200. */
export interface StreamedAnswer {
  /** One chunk of the transfer encoding each; bytes only where the content is encoded (gzip). */
  write(chunk: string | Uint8Array): void
  /** The last chunk. */
  end(): void
  /** The connection is cut without an end. */
  cut(): void
  /** Whether the client is behind with reading; `then` is called once when it is so no longer. Left out: nobody can say. */
  congested?(then: () => void): boolean
}

/** How a handler answers: by exactly one of these, now or later. */
export interface Reply {
  whole(answer: WholeAnswer): void
  /** `late` headers come after the type. */
  stream(contentType: string, headers?: readonly Header[], late?: readonly Header[]): StreamedAnswer
}

/** What answers a request. Returns what is to be done when the client leaves before the answer has ended. */
export type Handler = (request: WireRequest, reply: Reply) => (() => void) | undefined
