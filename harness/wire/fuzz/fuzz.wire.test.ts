import { expect, it } from 'vitest'
import { fuzzMock } from './run.ts'

const MIB = 2 ** 20

it('survives what clients do, answers errors as errors, and keeps nothing', async () => {
  const { wrong, before, after, exited, byKind } = await fuzzMock(1, 1_000, 500)
  expect(wrong).toEqual([])
  expect(exited).toBeUndefined()
  expect(Object.keys(byKind).sort()).toEqual(['abandoned', 'garbled', 'pipelined', 'slow', 'truncated', 'whole'])
  expect(after.running).toBe(0)
  expect(after.openFiles).toBeLessThanOrEqual(before.openFiles)
  expect(after.heapBytes - before.heapBytes).toBeLessThan(16 * MIB)
}, 300_000)
