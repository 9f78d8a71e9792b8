import { prefixHashes } from '../prefix.ts'
import type { Planned } from '../schedule.ts'

/** vLLM's blocks, unless told otherwise. */
const BLOCK_TOKENS = 16
/** Beyond so many blocks nobody counts. */
const BLOCKS_MAX = 2_000_000

/** The share of prompt tokens that an endless prefix cache would have, by the schedule alone. Undefined where that is too much to count. */
export function expectedHits(plan: Iterable<Planned>): number | undefined {
  const seen = new Set<number>()
  let [tokens, hits] = [0, 0]
  for (const { promptTokens, prefix } of plan) {
    tokens += promptTokens
    if (!prefix) continue
    let ahead = true
    for (const hash of prefixHashes(prefix, promptTokens - 1, BLOCK_TOKENS)) {
      ahead &&= seen.has(hash)
      if (ahead) hits += BLOCK_TOKENS
      else seen.add(hash)
    }
    if (seen.size > BLOCKS_MAX) return undefined
  }
  return tokens === 0 ? 0 : hits / tokens
}
