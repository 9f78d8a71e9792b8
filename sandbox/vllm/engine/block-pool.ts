/**
 * The KV blocks: a free list in eviction order, reference counts and the prefix-cache map.
 *
 * Block 0 is the null block and never leaves this class. A block's hash is 0 (none), positive (shared: found by any
 * request through the map) or negative (owned: only the request that computed it can ever ask for it again, so it
 * stays out of the map). Sizes are in blocks.
 */
// follows vllm/v1/core/block_pool.py and FreeKVCacheBlockQueue in vllm/v1/core/kv_cache_utils.py
export class BlockPool {
  readonly numGpuBlocks: number
  readonly refCount: Int32Array
  readonly hash: Float64Array
  numFree: number
  private readonly enableCaching: boolean
  /** Free list links; index `numGpuBlocks` is the sentinel that joins tail to head. */
  private readonly next: Int32Array
  private readonly prev: Int32Array
  private readonly sentinel: number
  /** Oldest block of each shared hash; younger duplicates hang on `nextDuplicate`. */
  private readonly byHash = new Map<number, number>()
  private readonly nextDuplicate: Int32Array

  constructor(numGpuBlocks: number, enableCaching: boolean) {
    this.numGpuBlocks = numGpuBlocks
    this.enableCaching = enableCaching
    this.sentinel = numGpuBlocks
    this.refCount = new Int32Array(numGpuBlocks)
    this.hash = new Float64Array(numGpuBlocks)
    this.next = new Int32Array(numGpuBlocks + 1)
    this.prev = new Int32Array(numGpuBlocks + 1)
    this.nextDuplicate = new Int32Array(numGpuBlocks).fill(-1)
    for (let i = 1; i <= numGpuBlocks; i++) {
      this.next[i - 1] = i
      this.prev[i] = i - 1
    }
    this.link(this.sentinel, numGpuBlocks > 1 ? 1 : this.sentinel)
    this.numFree = numGpuBlocks - 1
  }

  /** 0 to 1, the null block not counted. */
  get usage(): number {
    const total = this.numGpuBlocks - 1
    return total === 0 ? 0 : 1 - this.numFree / total
  }

  /** Takes the block that is next to be evicted and drops what it cached. There must be one. */
  take(): number {
    const block = this.next[this.sentinel]!
    if (block === this.sentinel) throw new Error('block pool: no free block')
    this.link(this.sentinel, this.next[block]!)
    this.numFree--
    if (this.hash[block] !== 0) this.evict(block)
    this.refCount[block] = 1
    return block
  }

  /** One more request holds `block`; a cached block that was free leaves the free list. */
  touch(block: number): void {
    if (this.refCount[block]!++ > 0) return
    this.link(this.prev[block]!, this.next[block]!)
    this.numFree--
  }

  /**
   * Gives back `blocks[0..count)`, the last first, so that the tail of a sequence is evicted before its head. Blocks
   * without a hash go to the front of the free list (reused at once), cached ones to the back (LRU).
   */
  release(blocks: Int32Array, count: number): void {
    let front = this.sentinel
    for (let i = count - 1; i >= 0; i--) {
      const block = blocks[i]!
      if (--this.refCount[block]! > 0) continue
      this.numFree++
      if (this.hash[block] === 0 || !this.enableCaching) {
        this.insertAfter(front, block)
        front = block
      } else this.insertAfter(this.prev[this.sentinel]!, block)
    }
  }

  /** The oldest block caching the shared `hash`, or -1. */
  find(hash: number): number {
    return this.byHash.get(hash) ?? -1
  }

  /** Registers a full block under `hash` (never 0). */
  cache(block: number, hash: number): void {
    this.hash[block] = hash
    if (hash < 0) return
    const head = this.byHash.get(hash)
    if (head === undefined) {
      this.byHash.set(hash, block)
      return
    }
    let last = head
    while (this.nextDuplicate[last] !== -1) last = this.nextDuplicate[last]!
    this.nextDuplicate[last] = block
  }

  /** Forgets every cached block. False, and nothing done, while any block is in use. */
  resetPrefixCache(): boolean {
    if (this.numFree !== this.numGpuBlocks - 1) return false
    this.byHash.clear()
    this.hash.fill(0)
    this.nextDuplicate.fill(-1)
    return true
  }

  /** Blocks on the free list in eviction order: for tests. */
  freeOrder(): number[] {
    const order: number[] = []
    for (let b = this.next[this.sentinel]!; b !== this.sentinel; b = this.next[b]!) order.push(b)
    return order
  }

  private evict(block: number): void {
    const hash = this.hash[block]!
    this.hash[block] = 0
    if (hash < 0) return
    const after = this.nextDuplicate[block]!
    this.nextDuplicate[block] = -1
    let at = this.byHash.get(hash)!
    if (at === block) {
      if (after === -1) this.byHash.delete(hash)
      else this.byHash.set(hash, after)
      return
    }
    while (this.nextDuplicate[at] !== block) at = this.nextDuplicate[at]!
    this.nextDuplicate[at] = after
  }

  private link(a: number, b: number): void {
    this.next[a] = b
    this.prev[b] = a
  }

  private insertAfter(a: number, block: number): void {
    const b = this.next[a]!
    this.link(a, block)
    this.link(block, b)
  }
}
