import type { Clock } from '../../world/clock.ts'
import type { RandomStream } from '../../world/random.ts'
import type { ServerSettings } from '../flags/settings.ts'
import type { Exposition } from '../server/exposition.ts'
import type { LogRecord } from '../server/log-format.ts'
import type { Generator } from './generation.ts'
import type { CorsFlags } from './router/cors.ts'
import type { EntryTexts } from './tokenizer/byte-tokenizer.ts'

/** Text to token ids and back, as the model's own tokenizer does, or by estimate where there is none. */
export interface WireTokenizer {
  /** False: counts are estimates, and ids mean nothing to others. */
  readonly exact: boolean
  readonly vocabSize: number
  readonly maxTokenId: number
  /** In characters, of the longest entry of the vocabulary. */
  readonly longestToken: number
  readonly eosTokenId: number | undefined
  /** Throws a WireError for text that cannot be encoded (lone surrogates). */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): number[]
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string
  /** As the vocabulary spells it: `Ġworld`. Undefined: no such id. */
  entry(id: number): string | undefined
  isSpecial(id: number): boolean
  /** Where a text is the bytes of its entries put together, and no more: those bytes, at hand. */
  readonly texts?: EntryTexts
  /** What entries have for a blank, where decoding takes the first one off. */
  readonly spaceMarker?: string | undefined
  /** Of an estimate, whose ids may depend on what came before: what of a token is always the same. */
  keyOf?(id: number): number
}

/** Messages to a prompt. */
export interface ChatTemplate {
  /** Whether messages keep their parts, or become one text. */
  readonly contentFormat: 'string' | 'openai'
  /** Throws a WireError with the template's own message where it refuses. */
  render(messages: readonly unknown[], variables: Readonly<Record<string, unknown>>): string
}

export interface LoraAdapter {
  readonly name: string
  readonly path: string
}

/** A model as it is served. */
export interface ServedModel {
  /** The first is the one answers carry. */
  readonly names: readonly [string, ...string[]]
  /** As given on the command line. */
  readonly root: string
  readonly maxModelLen: number
  readonly tokenizer: WireTokenizer
  /** None: chats are refused. */
  readonly template: ChatTemplate | undefined
  /** A template that comes with a request. Throws a WireError where its text is none. */
  templateOf(source: string): ChatTemplate
  /** Loaded ones by name, in the order in which they came. */
  readonly loras: Map<string, LoraAdapter>
}

/** Flags and environment that shape the wire and nothing else; those of the engine are in `settings`. */
export interface WireFlags {
  readonly version: string
  readonly apiKeys: readonly string[]
  readonly devMode: boolean
  readonly runtimeLoraUpdating: boolean
  readonly enableLora: boolean
  readonly enableRequestIdHeaders: boolean
  readonly enableServerLoadTracking: boolean
  readonly enablePromptTokensDetails: boolean
  readonly enableForceIncludeUsage: boolean
  readonly enablePerRequestMetrics: boolean
  readonly enableTokenizerInfoEndpoint: boolean
  readonly enableAutoToolChoice: boolean
  readonly toolCallParser: string | undefined
  readonly trustRequestChatTemplate: boolean
  readonly returnTokensAsTokenIds: boolean
  readonly responseRole: string
  readonly maxLogprobs: number
  readonly disableFastapiDocs: boolean
  readonly cors: CorsFlags
  readonly keepAliveOnEngineDeath: boolean
  readonly sseKeepAliveSeconds: number | undefined
  /** `vllm-0.32.0-b6605c22`, or null where switched off. */
  readonly systemFingerprint: string | null
}

/** What becomes of requests in flight when a server pauses. */
export type PauseMode = 'abort' | 'wait' | 'keep'

/** Levers of the engine that routes for development pull. */
export interface EngineControl {
  readonly paused: boolean
  readonly sleeping: boolean
  /** `done` is told when it is; with `wait` that is when nothing runs any more. */
  pause(mode: PauseMode, done: () => void): void
  resume(): void
  sleep(level: number, mode: PauseMode, done: () => void): void
  /** Wakes what the tags name, or all. True: awake as a whole. */
  wake(tags: readonly string[] | undefined): boolean
  /** Ends requests in good form with reason `abort`: those of these ids, or all. Returns how many were in flight. */
  abort(ids: readonly string[] | undefined): number
  /** False while blocks are held. */
  resetPrefixCache(): boolean
}

/** What handlers share. */
export interface Serving {
  readonly clock: Clock
  /** Of ids. */
  readonly random: RandomStream
  /** Of the Unix epoch, whole: `created`. */
  unixSeconds(): number
  readonly settings: ServerSettings
  readonly flags: WireFlags
  readonly model: ServedModel
  readonly engine: Generator
  /** What `/metrics` tells; the edge counts requests in `metrics.http`. */
  readonly metrics: Exposition
  /** Requests that wait, and the share of KV blocks in use, of each engine: for `endpoint-load-metrics`. */
  loadGauges(): readonly { readonly waiting: number; readonly kvCacheUsage: number }[]
  /** The engine has died, or was stopped by a signal. */
  readonly engineState: 'running' | 'dead' | 'shut-down'
  readonly control: EngineControl
  /** Requests being answered, of routes that count. */
  readonly load: { requests: number }
  /** What `/tokenizer_info` answers, as JSON; undefined: the model has no tokenizer of its own. */
  readonly tokenizerInfo: string | undefined
  log(record: LogRecord): void
}
