/** How requests reach an API server. */
export interface Transport {
  /** Sends one request; the answer's head is there. Fails with what the network says, or with AbortError when `signal` does. */
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>
}

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  /** Seconds, where the server says when to ask again. */
  readonly retryAfter?: string | undefined
  text(): Promise<string>
  chunks(): AsyncIterable<Uint8Array>
}
