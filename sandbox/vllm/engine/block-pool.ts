const RING_INITIAL = 1024
/** Owner of blocks that no request holds; serials count from 1. */
const NOBODY = -1

/**
 * The KV blocks: which are free, in eviction order, reference counts and the prefix-cache map.
 *
 * Block 0 is the null block and never leaves this class. A cached block has a hash in the map if other requests may have
 * its tokens too; else none but the one that took it last can ever ask for it again, and `owner` tells. Sizes are in blocks.
 *
 * vLLM's one list of free blocks is three here, of which the first that has a block gives it: blocks that cache nothing,
 * which come back to its front and leave from there; those never used; and cached ones, which come back to its end.
 */
// follows vllm/v1/core/block_pool.py and FreeKVCacheBlockQueue in vllm/v1/core/kv_cache_utils.py
export class BlockPool {
  readonly numGpuBlocks: number
  readonly refCount: Int32Array
  /** Who took each block last, as told; 0: nobody. */
  readonly owner: Int32Array
  /** Under which each block is in the map; 0: it is not. */
  readonly hash: Float64Array
  numFree: number
  /** Blocks with a hash. */
  private hashed = 0
  /** The next one last. */
  private readonly blank: number[] = []
  /** This block and those after it were never used. */
  private fresh = 1
  /** A ring from `oldest` on, `ringUsed` long; 0 in the place of a block that was hit again. */
  private ring = new Int32Array(RING_INITIAL)
  private oldest = 0
  private ringUsed = 0
  /** Of each block in the ring, where. */
  private readonly place: Int32Array
  /** Oldest block of each shared hash; younger duplicates hang on `nextDuplicate` (0: none). */
  private readonly byHash = new Map<number, number>()
  private readonly nextDuplicate: Int32Array
  private readonly withheld: number[] = []

  constructor(numGpuBlocks: number) {
    this.numGpuBlocks = numGpuBlocks
    this.refCount = new Int32Array(numGpuBlocks)
    this.owner = new Int32Array(numGpuBlocks)
    this.hash = new Float64Array(numGpuBlocks)
    this.place = new Int32Array(numGpuBlocks)
    this.nextDuplicate = new Int32Array(numGpuBlocks)
    this.numFree = numGpuBlocks - 1
  }

  /** 0 to 1, the null block not counted. */
  get usage(): number {
    const total = this.numGpuBlocks - 1
    return total === 0 ? 0 : 1 - this.numFree / total
  }

  /** Takes the block that is next to be evicted and drops what it cached. There must be one. `owner` is above 0. */
  take(owner: number): number {
    if (this.numFree === 0) throw new Error('block pool: no free block')
    this.numFree--
    let block: number
    if (this.blank.length > 0) block = this.blank.pop()!
    else if (this.fresh < this.numGpuBlocks) block = this.fresh++
    else block = this.takeOldest()
    this.refCount[block] = 1
    this.owner[block] = owner
    return block
  }

  /** One more request holds `block`; a cached block that was free is so no longer. */
  touch(block: number): void {
    if (this.refCount[block]!++ > 0) return
    this.ring[this.place[block]!] = 0
    this.numFree--
  }

  /**
   * Gives back `blocks[0..count)`, the last first, so that the tail of a sequence is evicted before its head. The first
   * `cached` of them are reused last (LRU), the others, which no other request holds, at once.
   */
  release(blocks: Int32Array, count: number, cached: number): void {
    for (let i = cached; i < count; i++) {
      this.refCount[blocks[i]!] = 0
      this.blank.push(blocks[i]!)
    }
    this.numFree += count - cached
    if (this.ringUsed + cached > this.ring.length) this.makeRoom(cached)
    const { refCount, ring, place, oldest } = this
    const mask = ring.length - 1
    const from = oldest + this.ringUsed
    let end = from
    for (let i = cached - 1; i >= 0; i--) {
      const block = blocks[i]!
      if (--refCount[block]! > 0) continue
      const at = end++ & mask
      ring[at] = block
      place[block] = at
    }
    this.numFree += end - from
    this.ringUsed = end - oldest
  }

  /** The oldest block caching the shared `hash`, or -1. */
  find(hash: number): number {
    return this.byHash.get(hash) ?? -1
  }

  /** Registers a full block under the shared `hash` (never 0). */
  cache(block: number, hash: number): void {
    this.hash[block] = hash
    this.hashed++
    const head = this.byHash.get(hash)
    if (head === undefined) {
      this.byHash.set(hash, block)
      return
    }
    let last = head
    while (this.nextDuplicate[last] !== 0) last = this.nextDuplicate[last]!
    this.nextDuplicate[last] = block
  }

  /** Holds this many blocks, or as many as are free, for nobody. */
  withhold(count: number): void {
    const { withheld } = this
    while (withheld.length < count && this.numFree > 0) withheld.push(this.take(NOBODY))
    const back = Int32Array.from(withheld.splice(count))
    if (back.length > 0) this.release(back, back.length, 0)
  }

  /** Forgets every cached block. False, and nothing done, while any block is in use. */
  resetPrefixCache(): boolean {
    if (this.numFree !== this.numGpuBlocks - 1) return false
    this.byHash.clear()
    this.hashed = 0
    this.owner.fill(0)
    this.hash.fill(0)
    this.nextDuplicate.fill(0)
    return true
  }

  /** Free blocks in eviction order: for tests. */
  freeOrder(): number[] {
    const never = Array.from({ length: this.numGpuBlocks - this.fresh }, (_, i) => this.fresh + i)
    return [...this.blank.toReversed(), ...never, ...this.inRing()]
  }

  private takeOldest(): number {
    const { ring } = this
    const mask = ring.length - 1
    let block: number
    do {
      block = ring[this.oldest]!
      this.oldest = (this.oldest + 1) & mask
      this.ringUsed--
    } while (block === 0)
    if (this.hashed > 0 && this.hash[block] !== 0) this.evict(block)
    return block
  }

  private evict(block: number): void {
    const hash = this.hash[block]!
    this.hash[block] = 0
    this.hashed--
    const after = this.nextDuplicate[block]!
    this.nextDuplicate[block] = 0
    let at = this.byHash.get(hash)!
    if (at === block) {
      if (after === 0) this.byHash.delete(hash)
      else this.byHash.set(hash, after)
      return
    }
    while (this.nextDuplicate[at] !== block) at = this.nextDuplicate[at]!
    this.nextDuplicate[at] = after
  }

  /** Makes the ring wide enough for `count` more, without the places of blocks that were hit again. */
  private makeRoom(count: number): void {
    const blocks = this.inRing()
    let width = this.ring.length
    while (width < 2 * (blocks.length + count)) width *= 2
    this.ring = new Int32Array(width)
    this.ring.set(blocks)
    for (let i = 0; i < blocks.length; i++) this.place[blocks[i]!] = i
    this.oldest = 0
    this.ringUsed = blocks.length
  }

  private inRing(): number[] {
    const { ring, oldest, ringUsed } = this
    const blocks: number[] = []
    for (let i = 0; i < ringUsed; i++) {
      const block = ring[(oldest + i) & (ring.length - 1)]!
      if (block !== 0) blocks.push(block)
    }
    return blocks
  }
}
