import { mix, mixText } from './hash.ts'

/**
 * One number for each whole block of a prompt, equal where tokens, salt and adapter are. The engine chains them. Salt and adapter count in
 * the first block, as upstream in its hash of the first.
 */
// follows hash_block_tokens and generate_block_hash_extra_keys in vllm/v1/core/kv_cache_utils.py
export function prefixHashes(
  ids: readonly number[],
  blockSize: number,
  { cacheSalt, lora }: { readonly cacheSalt?: string | undefined; readonly lora?: string | undefined },
): number[] {
  const hashes: number[] = []
  const extra = mixText(mixText(0, lora === undefined ? '' : `lora ${lora}`), cacheSalt ?? '')
  const blocks = Math.floor(ids.length / blockSize)
  for (let block = 0; block < blocks; block++) {
    let [a, b] = block === 0 ? [extra, mix(extra, 1)] : [0x9e3779b9, 0x85ebca6b]
    const end = (block + 1) * blockSize
    for (let i = block * blockSize; i < end; i++) {
      a = mix(a, ids[i]!)
      b = Math.imul(b ^ ids[i]!, 0x01000193) ^ (b >>> 13)
    }
    hashes.push((a >>> 0) * 0x20_0000 + ((b >>> 0) >>> 11))
  }
  return hashes
}
