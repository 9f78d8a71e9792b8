import { BlockPool } from './block-pool.ts'
import type { RequestTable } from './requests.ts'
import type { ResolvedEngineConfig } from './types.ts'

/** Room made for a request's first blocks. */
const BLOCKS_INITIAL = 16

/** Which blocks each request holds, and what of its tokens the prefix cache already has. Full attention, one KV group. */
// follows vllm/v1/core/kv_cache_manager.py and FullAttentionManager in vllm/v1/core/single_type_kv_cache_manager.py
export class KvCache {
  readonly pool: BlockPool
  readonly blockSize: number
  private readonly table: RequestTable
  private readonly caching: boolean
  private readonly maxModelLen: number
  private readonly watermarkBlocks: number
  private readonly reserveFull: boolean
  /** Blocks of the last lookup, `hitCount` of them. */
  private hit = new Int32Array(64)
  private hitCount = 0

  constructor(config: ResolvedEngineConfig, table: RequestTable) {
    this.pool = new BlockPool(config.numGpuBlocks)
    this.blockSize = config.blockSize
    this.table = table
    this.caching = config.enablePrefixCaching
    this.maxModelLen = config.maxModelLen
    this.watermarkBlocks = Math.floor(config.watermark * config.numGpuBlocks)
    this.reserveFull = config.schedulerReserveFullIsl
  }

  /** Looks up the longest cached prefix that leaves at least one token to compute; its length in tokens. */
  lookup(slot: number): number {
    this.hitCount = 0
    if (!this.caching) return 0
    const limit = Math.floor((this.table.numTokens[slot]! - 1) / this.blockSize)
    if (this.hit.length < limit) this.hit = new Int32Array(limit * 2)
    while (this.hitCount < limit) {
      const block = this.cachedBlock(slot, this.hitCount)
      if (block < 0) break
      this.hit[this.hitCount++] = block
    }
    return this.hitCount * this.blockSize
  }

  /** Blocks for a waiting request: the prefix found by the last `lookup` and `newTokens` beyond. False: not enough are free. */
  admit(slot: number, newTokens: number, othersRunning: boolean): boolean {
    const { table, pool, hit, hitCount } = this
    const watermark = othersRunning ? this.watermarkBlocks : 0
    let evictable = 0
    for (let i = 0; i < hitCount; i++) if (pool.refCount[hit[i]!] === 0) evictable++
    if (this.reserveFull) {
      const full = this.blocksFor(Math.min(table.numTokens[slot]!, this.maxModelLen))
      if (Math.max(full - hitCount, 0) + evictable + watermark > pool.numFree) return false
    }
    const total = hitCount * this.blockSize + newTokens
    const required = this.blocksFor(Math.min(total, this.maxModelLen))
    if (Math.max(required - hitCount, 0) + evictable + watermark > pool.numFree) return false
    const blocks = this.room(slot, required)
    for (let i = 0; i < hitCount; i++) {
      pool.touch(hit[i]!)
      blocks[i] = hit[i]!
    }
    const serial = table.serial[slot]!
    for (let i = hitCount; i < required; i++) blocks[i] = pool.take(serial)
    table.numBlocks[slot] = required
    table.cachedBlocks[slot] = hitCount
    this.cacheUpTo(slot, Math.min(total, table.numTokens[slot]!))
    return true
  }

  /** Blocks so that a running request has `tokens` slots. False: not enough are free. */
  extend(slot: number, tokens: number): boolean {
    const { table, pool } = this
    const held = table.numBlocks[slot]!
    const required = this.blocksFor(Math.min(tokens, this.maxModelLen))
    if (required - held > pool.numFree) return false
    const blocks = this.room(slot, required)
    for (let i = held; i < required; i++) blocks[i] = pool.take(table.serial[slot]!)
    if (required > held) table.numBlocks[slot] = required
    return true
  }

  /** Registers every full block within the first `tokens` tokens. */
  cacheUpTo(slot: number, tokens: number): void {
    if (!this.caching) return
    const { table, pool } = this
    const from = table.cachedBlocks[slot]!
    const full = Math.floor(tokens / this.blockSize)
    if (full <= from) return
    const blocks = table.blocks[slot]!
    const shared = table.records[slot]!.sharedHashes
    for (let i = from; i < full && i < shared.length; i++) pool.cache(blocks[i]!, shared[i]!)
    table.cachedBlocks[slot] = full
  }

  /** Gives all blocks of a request back. A preempted one remembers which they were. */
  free(slot: number, remember: boolean): void {
    const { table } = this
    const count = table.numBlocks[slot]!
    const blocks = table.blocks[slot]!
    if (remember && this.caching) table.records[slot]!.formerBlocks = blocks.slice(0, table.cachedBlocks[slot]!)
    this.pool.release(blocks, count, table.cachedBlocks[slot]!)
    table.numBlocks[slot] = table.cachedBlocks[slot] = 0
  }

  get usage(): number {
    return this.pool.usage
  }

  private blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.blockSize)
  }

  /** A shared block is found by its chained hash, one of its own only where it was before, if nobody has taken it since. */
  private cachedBlock(slot: number, index: number): number {
    const record = this.table.records[slot]!
    if (index < record.sharedHashes.length) return this.pool.find(record.sharedHashes[index]!)
    const former = record.formerBlocks?.[index]
    return former !== undefined && this.pool.owner[former] === record.serial ? former : -1
  }

  private room(slot: number, count: number): Int32Array {
    let blocks = this.table.blocks[slot]!
    if (blocks.length >= count) return blocks
    const wider = new Int32Array(Math.max(count, blocks.length * 2, BLOCKS_INITIAL))
    wider.set(blocks)
    blocks = wider
    this.table.blocks[slot] = wider
    return blocks
  }
}

const NO_HASHES = new Float64Array(0)

/**
 * Chains the client's block hashes, so that a block matches only where all before it do. 53-bit, positive.
 * `count` bounds them to the full blocks of the prompt.
 */
export function chainHashes(prefixHashes: readonly number[], count: number): Float64Array {
  if (prefixHashes.length === 0) return NO_HASHES
  const chained = new Float64Array(Math.min(prefixHashes.length, count))
  let [a, b] = [0x9e3779b9, 0x85ebca6b]
  for (let i = 0; i < chained.length; i++) {
    const value = prefixHashes[i]!
    const [low, high] = [value | 0, Math.trunc(value / 0x1_0000_0000) | 0]
    a = mix(a ^ low, b)
    b = mix(b ^ high, a)
    chained[i] = (a >>> 0) * 0x20_0000 + ((b >>> 0) >>> 11) + 1
  }
  return chained
}

function mix(x: number, y: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x7feb352d) + Math.imul(y ^ (y >>> 15), 0x846ca68b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
