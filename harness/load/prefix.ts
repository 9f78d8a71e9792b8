/**
 * What a prompt has in common with others, from its first token on.
 * `shared`: the first `tokens` are those of every prompt with that `id` (a system prompt), the rest those of the session, if there is one.
 * `blocks`: the n-th `blockTokens` tokens are those of every prompt with the same id there (a trace).
 */
export type Prefix =
  | { readonly kind: 'shared'; readonly id: number; readonly tokens: number; readonly session: number | undefined }
  | { readonly kind: 'blocks'; readonly blockTokens: number; readonly ids: readonly number[] }

/** Hashes of the prompt's leading full blocks of `blockTokens`, as far as other prompts may have them too. 53-bit, never negative. */
export function prefixHashes(prefix: Prefix, promptTokens: number, blockTokens: number): number[] {
  const full = Math.floor(promptTokens / blockTokens)
  if (prefix.kind === 'shared') {
    const common = Math.min(full, Math.floor(prefix.tokens / blockTokens))
    const count = prefix.session === undefined ? common : full
    return Array.from({ length: count }, (_, i) =>
      i < common ? hash(prefix.id, SYSTEM, i) : hash(prefix.session!, prefix.id, i),
    )
  }
  const { ids, blockTokens: traced } = prefix
  const hashes: number[] = []
  for (let i = 0; i < full; i++) {
    const [first, last] = [
      ids[Math.floor((i * blockTokens) / traced)],
      ids[Math.floor(((i + 1) * blockTokens - 1) / traced)],
    ]
    if (first === undefined || last === undefined) break
    hashes.push(hash(first, last, i))
  }
  return hashes
}

/** What stands in the place of a session in hashes of system prompts: no session has this number. */
const SYSTEM = 0x5eed

/** A number of a text, for `Prefix.id`. FNV-1a. */
export function idOf(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** Mixes three integers to 53 bits. */
function hash(a: number, b: number, c: number): number {
  const low = mix(mix(mix(0x9e3779b9 ^ a) ^ Math.floor(a / 0x1_0000_0000) ^ b) ^ c)
  const high = mix(mix(mix(0x85ebca6b ^ c) ^ b) ^ a ^ Math.floor(b / 0x1_0000_0000))
  return (high >>> 0) * 0x20_0000 + (low >>> 11)
}

function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}
