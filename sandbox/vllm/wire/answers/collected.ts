import type { Finish, SequenceOutput, TokenLogprobs } from '../generation.ts'

/** All that one sequence has given. */
export interface Collected {
  readonly text: string
  readonly tokenIds: readonly number[]
  readonly logprobs: readonly TokenLogprobs[]
  readonly finish: Finish | undefined
}

/** Puts the outputs of `n` sequences together. */
export class Collector {
  readonly sequences: readonly Collected[]
  private readonly growing: {
    text: string
    readonly tokenIds: number[]
    readonly logprobs: TokenLogprobs[]
    finish: Finish | undefined
  }[]

  constructor(n: number) {
    this.growing = Array.from({ length: n }, () => ({ text: '', tokenIds: [], logprobs: [], finish: undefined }))
    this.sequences = this.growing
  }

  add({ index, text, tokenIds, logprobs, finish }: SequenceOutput): void {
    const sequence = this.growing[index]!
    sequence.text += text
    for (const id of tokenIds) sequence.tokenIds.push(id)
    if (logprobs) for (const step of logprobs) sequence.logprobs.push(step)
    if (finish) sequence.finish = finish
  }

  get tokens(): number {
    return this.growing.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)
  }
}
