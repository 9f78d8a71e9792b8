import { describe, expect, it } from 'vitest'
import { BlockPool } from './block-pool.ts'

const takeMany = (pool: BlockPool, count: number) => Int32Array.from({ length: count }, () => pool.take(1))

describe('block pool', () => {
  it('keeps block 0 for itself', () => {
    const pool = new BlockPool(4)
    expect([pool.numFree, pool.usage]).toEqual([3, 0])
    expect([...takeMany(pool, 3)]).toEqual([1, 2, 3])
    expect(pool.usage).toBe(1)
    expect(() => pool.take(1)).toThrow('no free block')
  })

  it('reuses blocks without a hash first, and cached ones least recently used first, tails before heads', () => {
    const pool = new BlockPool(8)
    const blocks = takeMany(pool, 4)
    pool.cache(blocks[0]!, 11)
    pool.cache(blocks[1]!, 12)
    pool.release(blocks, 4, 2)
    // 4 and 3 hold nothing anyone can ask for; 2 (the tail of the cached part) goes before 1.
    expect(pool.freeOrder()).toEqual([4, 3, 5, 6, 7, 2, 1])
  })

  it('takes a block that is hit again off the free list', () => {
    const pool = new BlockPool(4)
    const [a] = takeMany(pool, 1)
    pool.cache(a!, 5)
    pool.release(Int32Array.of(a!), 1, 1)
    pool.touch(pool.find(5))
    expect(pool.freeOrder()).toEqual([2, 3])
    expect(pool.refCount[a!]).toBe(1)
  })

  it('forgets what a block cached when it is taken', () => {
    const pool = new BlockPool(2)
    const [a] = takeMany(pool, 1)
    pool.cache(a!, 5)
    pool.release(Int32Array.of(a!), 1, 1)
    expect(pool.find(5)).toBe(a)
    pool.take(1)
    expect(pool.find(5)).toBe(-1)
  })

  it('keeps duplicates of a hash until the last is evicted, the oldest first in line', () => {
    const pool = new BlockPool(4)
    const blocks = takeMany(pool, 3)
    for (const block of blocks) pool.cache(block, 9)
    expect(pool.find(9)).toBe(1)
    pool.release(Int32Array.of(2), 1, 1)
    expect(pool.take(1)).toBe(2)
    pool.release(Int32Array.of(1), 1, 1)
    expect(pool.take(1)).toBe(1)
    expect(pool.find(9)).toBe(3)
  })

  it('resets only while nothing is in use', () => {
    const pool = new BlockPool(3)
    const blocks = takeMany(pool, 1)
    pool.cache(blocks[0]!, 5)
    expect(pool.resetPrefixCache()).toBe(false)
    pool.release(blocks, 1, 1)
    expect(pool.resetPrefixCache()).toBe(true)
    expect(pool.find(5)).toBe(-1)
  })
})
