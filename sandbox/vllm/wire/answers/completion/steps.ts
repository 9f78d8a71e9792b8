import type { TokenLogprobs } from '../../generation.ts'
import type { Step } from './logprobs.ts'

/** Tokens of an echoed prompt, then those of an output, with what was likely in their places. */
export function stepsOf(
  promptIds: readonly number[],
  prompt: readonly (TokenLogprobs | null)[] | undefined,
  output: { readonly tokenIds: readonly number[]; readonly logprobs?: readonly TokenLogprobs[] } | undefined,
): readonly Step[] {
  return [
    ...promptIds.map((id, i) => ({ id, logprobs: prompt?.[i] ?? null })),
    ...(output?.tokenIds ?? []).map((id, i) => ({ id, logprobs: output?.logprobs?.[i] ?? null })),
  ]
}
