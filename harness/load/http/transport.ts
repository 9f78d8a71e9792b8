/** What is told of one request and its answer, in this order; `failed` in place of the rest, once. */
export interface Exchange {
  /** Bytes go out now. Told again where a connection that had been kept turned out to be closed. */
  sent(): void
  head(status: number, headers: ReadonlyMap<string, string>): void
  /** One character a byte. */
  body(text: string): void
  end(): void
  failed(failure: TransportFailure): void
}

/** `refused`: no connection; `reset`: cut off; `local`: this machine has no room for another socket. */
export interface TransportFailure {
  readonly kind: 'refused' | 'reset' | 'local'
  readonly message: string
}

/** How requests come to a server and answers back. */
export interface Transport {
  /** Sends a body now, or as soon as a socket is free. Returns how to hang up. */
  send(body: string, exchange: Exchange): () => void
  /** Connections that were opened so far. */
  readonly opened: number
  close(): void
}

/** Errors of this machine, not of the server. */
const LOCAL = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

export function failureOf(error: NodeJS.ErrnoException, connected: boolean): TransportFailure {
  const { code = '', message } = error
  const kind = LOCAL.has(code) ? 'local' : connected ? 'reset' : 'refused'
  // where several addresses were tried, the message is empty
  return { kind, message: code || message || error.name }
}
