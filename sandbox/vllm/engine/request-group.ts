/** The sequences of one request with `n` > 1: each is a request to the engine, some metrics count them as one. */
// follows ParentRequest in vllm/v1/engine/parallel_sampling.py
export class RequestGroup {
  readonly n: number
  private unfinished: number
  private longest = 0

  constructor(n: number) {
    this.n = n
    this.unfinished = n
  }

  /** One of them has ended. Returns the most tokens that any of them has, once that was the last. */
  ended(outputTokens: number): number | undefined {
    this.unfinished--
    this.longest = Math.max(this.longest, outputTokens)
    return this.unfinished === 0 ? this.longest : undefined
  }
}
