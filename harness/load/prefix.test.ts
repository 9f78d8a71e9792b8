import { expect, it } from 'vitest'
import { type Prefix, prefixHashes } from './prefix.ts'

const shared = (session?: number): Prefix => ({ kind: 'shared', id: 7, tokens: 40, session })
const commonStart = (a: number[], b: number[]) => {
  const end = a.findIndex((hash, i) => hash !== b[i])
  return end < 0 ? a.length : end
}

it('of a system prompt only full blocks are shared', () => {
  expect(prefixHashes(shared(), 100, 16)).toHaveLength(2)
  expect(prefixHashes(shared(), 20, 16)).toHaveLength(1)
})

it('turns of a session share all earlier blocks, sessions only the system prompt', () => {
  const [first, later, other] = [
    prefixHashes(shared(1), 100, 16),
    prefixHashes(shared(1), 200, 16),
    prefixHashes(shared(2), 200, 16),
  ]
  expect([first.length, later.length]).toEqual([6, 12])
  expect(commonStart(first, later)).toBe(6)
  expect(commonStart(later, other)).toBe(2)
  expect(commonStart(prefixHashes(shared(), 200, 16), other)).toBe(2)
})

it.each([
  [16, 64],
  [32, 32],
  [48, 21],
])('blocks of a trace are told in blocks of %d tokens as far as they are the same', (blockTokens, expected) => {
  const of = (ids: number[]) => prefixHashes({ kind: 'blocks', blockTokens: 512, ids }, 1500, blockTokens)
  const [a, b] = [of([0, 1, 2]), of([0, 1, 3])]
  expect(a).toHaveLength(Math.floor(1500 / blockTokens))
  // a block that reaches over the 1,024th token is not
  expect(commonStart(a, b)).toBe(expected)
  for (const hash of a) expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true)
})
