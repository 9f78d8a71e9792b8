import { VirtualClock } from '../../../world/clock.ts'
import { randomStream } from '../../../world/random.ts'
import type { Header, StreamedAnswer } from '../http.ts'
import type { Serving, WireFlags } from '../serving.ts'
import { type Answered, App, type AppOptions, type Head } from './app.ts'
import type { Route } from './route.ts'

/** vLLM's default flags, as far as middleware and routes look at them. */
export const DEFAULT_FLAGS = {
  version: '0.32.0',
  apiKeys: [],
  devMode: false,
  runtimeLoraUpdating: false,
  enableRequestIdHeaders: false,
  enableServerLoadTracking: false,
  enableTokenizerInfoEndpoint: false,
  disableFastapiDocs: false,
  cors: { origins: [], methods: ['*'], headers: ['*'], credentials: false },
} as const satisfies Partial<WireFlags>

/** What an application answered. */
export interface Said {
  status: number
  headers: readonly Header[]
  body: string
  ended: boolean
  cut: boolean
}

/** A serving of which only what is given can be asked. */
export const servingWith = (given: Partial<Omit<Serving, 'flags'>> & { flags?: Partial<WireFlags> }): Serving =>
  ({
    clock: new VirtualClock(),
    random: randomStream(1, 'test'),
    unixSeconds: () => 1_767_225_600,
    load: { requests: 0 },
    engineState: 'running',
    log: () => undefined,
    ...given,
    flags: { ...DEFAULT_FLAGS, ...given.flags },
  }) as unknown as Serving

/** An application without sockets. */
export class AppUnderTest {
  readonly counted: Answered[] = []
  private readonly app: App

  constructor(serving: Serving, routes: readonly Route[], options: Partial<AppOptions> = {}) {
    this.app = new App({ serving, routes, answered: (answered) => this.counted.push(answered), ...options })
  }

  /** Sends a request; the body goes with it where the application reads one. `leave` is the client's hanging up. */
  send(
    method: string,
    target: string,
    { headers = {}, body = '' }: { headers?: Readonly<Record<string, string>>; body?: string } = {},
  ): Said & { leave(): void } {
    const [path = '', query = ''] = target.split('?')
    const said: Said = { status: 0, headers: [], body: '', ended: false, cut: false }
    const left: { call: (() => void) | undefined } = { call: undefined }
    const head: Head = {
      method,
      target,
      path: decodeURIComponent(path),
      query: new URLSearchParams(query),
      headers: new Map(Object.entries({ host: 'server:8000', ...headers })),
      authority: '127.0.0.1:8000',
    }
    const admission = this.app.admit(head, outletOf(said), left)
    if (admission.readsBody) admission.run(Buffer.from(body))
    return Object.assign(said, { leave: () => left.call?.() })
  }
}

const outletOf = (said: Said) => ({
  whole: (status: number, headers: readonly Header[], body: string | Uint8Array) => {
    Object.assign(said, {
      status,
      headers,
      body: typeof body === 'string' ? body : Buffer.from(body).toString(),
      ended: true,
    })
  },
  stream: (headers: readonly Header[]): StreamedAnswer => {
    Object.assign(said, { status: 200, headers })
    return {
      write: (chunk) => {
        said.body += chunk
      },
      end: () => {
        said.ended = true
      },
      cut: () => {
        said.cut = true
      },
    }
  },
})
