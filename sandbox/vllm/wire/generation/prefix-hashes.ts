import { mix, mixText } from './hash.ts'

/** What tells one cache of prefixes from another. */
export interface CacheKey {
  readonly cacheSalt?: string | undefined
  readonly lora?: string | undefined
}

/**
 * One number for each whole block of a prompt, equal where tokens, salt and adapter are. The engine chains them. Salt and adapter count in
 * the first block, as upstream in its hash of the first.
 */
// follows hash_block_tokens and generate_block_hash_extra_keys in vllm/v1/core/kv_cache_utils.py
export const prefixHashes = (ids: readonly number[], blockSize: number, key: CacheKey): number[] =>
  hashesOf(ids, blockSize, firstOf(key))

/** The same of the blocks that output fills: the first begins with what of the prompt fills no block. */
export function outputHashes(
  promptIds: readonly number[],
  output: Int32Array,
  blockSize: number,
  key: CacheKey,
): number[] {
  const promptBlocks = Math.floor(promptIds.length / blockSize)
  const rest = promptIds.length - promptBlocks * blockSize
  const ids = new Int32Array(rest + output.length)
  for (let i = 0; i < rest; i++) ids[i] = promptIds[promptBlocks * blockSize + i]!
  ids.set(output, rest)
  return hashesOf(ids, blockSize, promptBlocks === 0 ? firstOf(key) : OTHER)
}

type Start = readonly [number, number]

const OTHER: Start = [0x9e3779b9, 0x85ebca6b]

function firstOf({ cacheSalt, lora }: CacheKey): Start {
  const extra = mixText(mixText(0, lora === undefined ? '' : `lora ${lora}`), cacheSalt ?? '')
  return [extra, mix(extra, 1)]
}

function hashesOf(ids: ArrayLike<number>, blockSize: number, first: Start): number[] {
  const hashes: number[] = []
  const blocks = Math.floor(ids.length / blockSize)
  for (let block = 0; block < blocks; block++) {
    let [a, b] = block === 0 ? first : OTHER
    const end = (block + 1) * blockSize
    for (let i = block * blockSize; i < end; i++) {
      a = mix(a, ids[i]!)
      b = Math.imul(b ^ ids[i]!, 0x01000193) ^ (b >>> 13)
    }
    hashes.push((a >>> 0) * 0x20_0000 + ((b >>> 0) >>> 11))
  }
  return hashes
}
