import { Batch } from './batch.ts'

/** The steps under way, in the order in which they end: at most as many as vLLM has in flight. Their batches are used over and over. */
export class Pipeline {
  count = 0
  private readonly batches: readonly Batch[]
  private first = 0

  constructor(depth: number, batchCapacity: number) {
    this.batches = Array.from({ length: depth }, () => new Batch(batchCapacity))
  }

  get isFull(): boolean {
    return this.count === this.batches.length
  }

  /** The `i`th to end. */
  at(i: number): Batch {
    const { batches } = this
    const place = this.first + i
    return batches[place < batches.length ? place : place - batches.length]!
  }

  get oldest(): Batch | undefined {
    return this.count === 0 ? undefined : this.batches[this.first]
  }

  get newest(): Batch | undefined {
    return this.count === 0 ? undefined : this.at(this.count - 1)
  }

  /** To be filled with a further step, which is under way after `launch`; there must be room. */
  get next(): Batch {
    return this.at(this.count)
  }

  launch(): void {
    this.count++
  }

  /** The oldest has ended. What it computed can be read until `next` is filled. */
  end(): void {
    this.first = this.first + 1 < this.batches.length ? this.first + 1 : 0
    this.count--
  }

  /** Tokens that steps under way compute for a request. */
  tokensOf(slot: number, serial: number): number {
    let tokens = 0
    for (let i = 0; i < this.count; i++) tokens += this.at(i).tokensOf(slot, serial)
    return tokens
  }
}
