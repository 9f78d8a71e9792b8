/** A request as it was sent. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** An answer as it came. */
export interface WireAnswer {
  readonly status: number
  /** As sent, in order, names as written. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Undefined: only `outline` or `sha256` was kept. */
  readonly body?: string
  /** Of `/metrics`: families, types, labels and buckets, values left out. */
  readonly outline?: readonly string[]
  /** Of a body too large to keep. */
  readonly sha256?: string
  /** Chunks of the transfer encoding, where they are known. */
  readonly chunks?: readonly string[]
}

export interface Recording {
  readonly name: string
  readonly request: RecordedRequest
  readonly answer: WireAnswer
}

/** The body of a request as JSON. Undefined: there is none, or it is no object. */
export function requestObject({ body }: RecordedRequest): Readonly<Record<string, unknown>> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The first value of a header, by its name in any case. */
export function header({ headers }: Pick<WireAnswer, 'headers'>, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}
