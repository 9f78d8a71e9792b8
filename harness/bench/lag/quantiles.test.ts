import { expect, it } from 'vitest'
import { median, medianTable, PROBABILITIES, quantilesOf } from './quantiles.ts'

it('interpolates between samples and keeps the ends', () => {
  const table = quantilesOf([30, 10, 20, 0, 40])
  expect(table[0]).toBe(0)
  expect(table[PROBABILITIES.indexOf(0.25)]).toBe(10)
  expect(table[PROBABILITIES.indexOf(0.5)]).toBe(20)
  expect(table[PROBABILITIES.indexOf(0.9)]).toBeCloseTo(36)
  expect(() => quantilesOf([])).toThrow(RangeError)
})

it('takes medians of rounds, so that one bad round does not count', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  const rounds = [[1], [2], [1000]].map((row) => PROBABILITIES.map(() => row[0]!))
  expect(new Set(medianTable(rounds))).toEqual(new Set([2]))
})
