/** Why vLLM does not start, in its own words. */
export interface Refusal {
  readonly ok: false
  readonly code: RefusalCode
  /** The exception's own text. */
  readonly message: string
  /** The flag to change. */
  readonly flag: string
  /** The Python exception: `ValueError`. */
  readonly exception: string
  /** The config class whose validation fails; its text is wrapped by pydantic. Undefined for plain exceptions. */
  readonly config?: string
  /** Where it happens: before the engine starts, while it loads weights, or when the KV cache is planned. */
  readonly stage: 'config' | 'device' | 'weights' | 'kv-cache'
  /** True when the answer would differ within the uncertainty of the estimates it rests on. */
  readonly uncertain: boolean
}

export type RefusalCode =
  | 'no-gpu'
  | 'world-size'
  | 'local-rank'
  | 'attention-heads'
  | 'kv-heads'
  | 'not-divisible'
  | 'quantization-capability'
  | 'quantization-dtype'
  | 'quantization-mismatch'
  | 'quantization-unknown'
  | 'quantization-deprecated'
  | 'quantization-groups'
  | 'dtype-capability'
  | 'max-model-len'
  | 'batched-tokens'
  | 'value-out-of-range'
  | 'expert-parallel'
  | 'free-memory'
  | 'weights-out-of-memory'
  | 'no-kv-memory'
  | 'kv-too-small'

/** A refusal that rests on no estimate. */
export const refuse = (
  code: RefusalCode,
  flag: string,
  message: string,
  more: Partial<Pick<Refusal, 'exception' | 'config' | 'stage' | 'uncertain'>> = {},
): Refusal => ({ ok: false, code, flag, message, exception: 'ValueError', stage: 'config', uncertain: false, ...more })

/** Bytes as vLLM prints them: GiB rounded to two places as Python prints a float. */
// follows vllm/utils/mem_utils.py format_gib
export function formatGib(bytes: number): string {
  const rounded = Number((bytes / 2 ** 30).toFixed(2))
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded)
}
