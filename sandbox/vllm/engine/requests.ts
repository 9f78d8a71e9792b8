import type { EngineObserver, EngineRequest, FinishReason } from './types.ts'

export const FREE = 0
export const WAITING = 1
export const PREEMPTED = 2
export const RUNNING = 3

/** What is kept per request but not touched per token. */
export interface RequestRecord {
  readonly request: EngineRequest
  observer: EngineObserver
  /** Hashes of the leading blocks that other requests may share: chained, positive. */
  readonly sharedHashes: Float64Array
  readonly maxTokens: number
  readonly reason: FinishReason
  /** Order of submission: breaks ties of arrival, and tells its own blocks from others'. */
  readonly serial: number
  /** When the API server got it, µs. */
  readonly arrivedAt: number
  /** Blocks held when last preempted, to find again what was not evicted. */
  formerBlocks: Int32Array | undefined
}

/** Bits of `marks`: what makes a request's next output more than one more token. */
export const MARK_FIRST_TOKEN = 1
export const MARK_STALE = 2
export const MARK_PREEMPTED = 4
/** Its observer is told of each token. */
export const MARK_TOKENS = 8

const NO_BLOCKS = new Int32Array(0)
const INT_COLUMNS = 16
const FLOAT_COLUMNS = 6

/**
 * Requests the scheduler knows, as columns of typed arrays: a request is a slot number, and no token allocates memory.
 * Slots are reused; `serial` says whose a slot is. Times are µs with a fraction. Growing replaces the arrays, so a
 * caller may hold a column only while it adds no request.
 */
export class RequestTable {
  capacity = 0
  status!: Int32Array
  promptTokens!: Int32Array
  /** Prompt and generated tokens so far. */
  numTokens!: Int32Array
  /** Tokens whose KV is computed, or being computed by a step under way. */
  computed!: Int32Array
  /** Tokens being sampled by steps under way (asynchronous scheduling). */
  placeholders!: Int32Array
  /** Tokens that steps under way computed for it before it was preempted. */
  stale!: Int32Array
  /** Set by `mark`. */
  marks!: Int32Array
  /** `numTokens` at which it ends. */
  endTokens!: Int32Array
  /** `endTokens` where it has no marks, else 0: below it an output is one more token and nothing else. */
  eventTokens!: Int32Array
  /** Up to so many computed tokens a step of one more needs no block, caches none and meets no limit. */
  quietTokens!: Int32Array
  /** prompt + max_tokens: the scheduler knows beforehand that nothing follows. */
  limitTokens!: Int32Array
  numBlocks!: Int32Array
  cachedBlocks!: Int32Array
  /** Prompt tokens the cache gave at the first admission. */
  cachedPromptTokens!: Int32Array
  preemptions!: Int32Array
  /** Preemptions no output has reported yet. */
  unreported!: Int32Array
  serial!: Float64Array
  priority!: Float64Array
  queuedAt!: Float64Array
  scheduledAt!: Float64Array
  firstTokenAt!: Float64Array
  lastTokenAt!: Float64Array
  /** Requests ever removed. */
  departures = 0
  readonly blocks: Int32Array[] = []
  readonly records: (RequestRecord | undefined)[] = []
  private readonly freeSlots: number[] = []

  constructor(capacity: number) {
    this.grow(Math.max(capacity, 1))
  }

  /** A slot for the record, in state WAITING with nothing computed. */
  add(record: RequestRecord): number {
    if (this.freeSlots.length === 0) this.grow(this.capacity * 2)
    const slot = this.freeSlots.pop()!
    const { request } = record
    this.records[slot] = record
    this.status[slot] = WAITING
    this.promptTokens[slot] = this.numTokens[slot] = request.promptTokens
    this.computed[slot] = this.placeholders[slot] = this.stale[slot] = this.unreported[slot] = 0
    this.quietTokens[slot] = 0
    this.limitTokens[slot] = request.promptTokens + record.maxTokens
    this.endTokens[slot] = request.promptTokens + Math.min(request.outputTokens, record.maxTokens)
    this.mark(slot, record.observer.token ? MARK_FIRST_TOKEN | MARK_TOKENS : MARK_FIRST_TOKEN)
    this.numBlocks[slot] = this.cachedBlocks[slot] = this.cachedPromptTokens[slot] = this.preemptions[slot] = 0
    this.serial[slot] = record.serial
    this.priority[slot] = request.priority ?? 0
    this.queuedAt[slot] = this.firstTokenAt[slot] = this.lastTokenAt[slot] = 0
    this.scheduledAt[slot] = -1
    return slot
  }

  remove(slot: number): void {
    this.status[slot] = FREE
    this.serial[slot] = -1
    this.records[slot] = undefined
    this.freeSlots.push(slot)
    this.departures++
  }

  /** Sets its marks. */
  mark(slot: number, marks: number): void {
    this.marks[slot] = marks
    this.eventTokens[slot] = marks === 0 ? this.endTokens[slot]! : 0
  }

  /** Tokens generated so far. */
  outputTokens(slot: number): number {
    return this.numTokens[slot]! - this.promptTokens[slot]!
  }

  /** vLLM's order of requests: priority, then arrival, then (here) submission. */
  before(a: number, b: number): boolean {
    const [p, q] = [this.priority[a]!, this.priority[b]!]
    if (p !== q) return p < q
    const [s, t] = [this.records[a]!.arrivedAt, this.records[b]!.arrivedAt]
    return s !== t ? s < t : this.serial[a]! < this.serial[b]!
  }

  private grow(capacity: number): void {
    const ints: Int32Array[] = []
    const floats: Float64Array[] = []
    const oldInts = this.capacity === 0 ? [] : this.intColumns()
    const oldFloats = this.capacity === 0 ? [] : this.floatColumns()
    for (let i = 0; i < INT_COLUMNS; i++) ints.push(widened(new Int32Array(capacity), oldInts[i]))
    for (let i = 0; i < FLOAT_COLUMNS; i++) floats.push(widened(new Float64Array(capacity), oldFloats[i]))
    ;[this.status, this.promptTokens, this.numTokens, this.computed, this.placeholders] = ints as Five
    ;[this.marks, this.stale, this.endTokens, this.limitTokens, this.numBlocks] = ints.slice(5) as Five
    ;[this.cachedBlocks, this.cachedPromptTokens, this.preemptions, this.unreported] = ints.slice(10) as Four
    ;[this.eventTokens, this.quietTokens] = ints.slice(14) as [Int32Array, Int32Array]
    ;[this.serial, this.priority, this.queuedAt] = floats as [Float64Array, Float64Array, Float64Array]
    ;[this.scheduledAt, this.firstTokenAt, this.lastTokenAt] = floats.slice(3) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    for (let slot = capacity - 1; slot >= this.capacity; slot--) {
      this.freeSlots.push(slot)
      this.blocks[slot] = NO_BLOCKS
      this.serial[slot] = -1
    }
    this.capacity = capacity
  }

  private intColumns(): Int32Array[] {
    return [
      ...[this.status, this.promptTokens, this.numTokens, this.computed, this.placeholders],
      ...[this.marks, this.stale, this.endTokens, this.limitTokens, this.numBlocks],
      ...[this.cachedBlocks, this.cachedPromptTokens, this.preemptions, this.unreported],
      ...[this.eventTokens, this.quietTokens],
    ]
  }

  private floatColumns(): Float64Array[] {
    return [this.serial, this.priority, this.queuedAt, this.scheduledAt, this.firstTokenAt, this.lastTokenAt]
  }
}

type Four = [Int32Array, Int32Array, Int32Array, Int32Array]
type Five = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]

function widened<A extends Int32Array | Float64Array>(target: A, old: A | undefined): A {
  if (old) target.set(old)
  return target
}
