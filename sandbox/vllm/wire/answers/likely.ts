import type { Likely, TokenLogprobs } from '../generation.ts'

/** How an answer writes floats: Python's way when it is whole, pydantic's in a stream. */
export type WriteFloat = (value: number) => string

/** Which of a step's tokens an answer lists, and how it writes them. */
export interface LogprobOptions {
  /** Top tokens asked for; -1: the whole vocabulary. */
  readonly top: number
  /** Tokens were asked for by id: all of a step are listed. */
  readonly all: boolean
  /** `token_id:195` in place of the text. */
  readonly asTokenIds: boolean
  readonly float: WriteFloat
}

/** The tokens of one step in the order in which answers list them: the sampled one, then the others by rank. */
export const entriesOf = ({ sampled, top }: TokenLogprobs): readonly Likely[] => [
  sampled,
  ...top.filter(({ id }) => id !== sampled.id),
]

/** What JSON can hold of a log probability. */
export const finite = (logprob: number): number => Math.max(logprob, -9999)

export const tokenText = ({ id, text }: Likely, asTokenIds: boolean): string => (asTokenIds ? `token_id:${id}` : text)

/** The `prompt_logprobs` of a whole answer, keyed by token id in the order of the tokens. */
// follows vllm/entrypoints/generate/base/serving.py clamp_prompt_logprobs
export function promptLogprobs(steps: readonly (TokenLogprobs | null)[] | undefined, float: WriteFloat): string {
  if (steps === undefined) return 'null'
  const of = (step: TokenLogprobs) =>
    `{${entriesOf(step)
      .map(
        ({ id, logprob, rank, text }) =>
          `"${id}":{"logprob":${float(finite(logprob))},"rank":${rank},"decoded_token":${JSON.stringify(text)}}`,
      )
      .join(',')}}`
  return `[${steps.map((step) => (step === null ? 'null' : of(step))).join(',')}]`
}
