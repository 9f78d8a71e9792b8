import fc from 'fast-check'
import { expect, it } from 'vitest'
import { align, type Timed } from './align.ts'

const at = (...times: readonly number[]): Timed[] => times.map((one) => ({ at: one, what: 'x' }))
const times = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 7 }).map((list) => list.sort((a, b) => a - b))

it('pairs each with the nearest where one trial has more', () => {
  const { both, onlyA, onlyB } = align(at(0, 10, 20), at(11, 21))
  expect(both.map(({ a, b }) => [a.at, b.at])).toEqual([
    [10, 11],
    [20, 21],
  ])
  expect(onlyA.map((one) => one.at)).toEqual([0])
  expect(onlyB).toEqual([])
})

it('does not mind the order of different decisions', () => {
  const a = [
    { at: 1, what: 'x' },
    { at: 2, what: 'y' },
  ]
  const b = [
    { at: 1, what: 'y' },
    { at: 2, what: 'x' },
  ]
  expect(align(a, b).both.map(({ a, offsetUs }) => [a.what, offsetUs])).toEqual([
    ['x', 1],
    ['y', -1],
  ])
})

it('never pairs different decisions', () => {
  const { both, onlyA, onlyB } = align([{ at: 1, what: 'x' }], [{ at: 1, what: 'y' }])
  expect([both, onlyA, onlyB].map((list) => list.length)).toEqual([0, 1, 1])
})

it('finds as many pairs as can be, in order, at the least sum of distances', () => {
  fc.assert(
    fc.property(times, times, (a, b) => {
      const { both, onlyA, onlyB } = align(at(...a), at(...b))
      expect(both.length).toBe(Math.min(a.length, b.length))
      expect([...both.map((pair) => pair.a.at), ...onlyA.map((one) => one.at)].sort((x, y) => x - y)).toEqual(a)
      expect([...both.map((pair) => pair.b.at), ...onlyB.map((one) => one.at)].sort((x, y) => x - y)).toEqual(b)
      const sum = both.reduce((total, { offsetUs }) => total + Math.abs(offsetUs), 0)
      const [few, many] = a.length <= b.length ? [a, b] : [b, a]
      const all = choices(many, few.length).map((chosen) =>
        chosen.reduce((total, one, i) => total + Math.abs(one - few[i]!), 0),
      )
      expect(sum).toBe(Math.min(...all))
    }),
  )
})

/** All ways to leave `count` of a list, in order. */
function choices(list: readonly number[], count: number): number[][] {
  if (count === 0) return [[]]
  if (list.length < count) return []
  const [first, ...rest] = list
  return [...choices(rest, count - 1).map((more) => [first!, ...more]), ...choices(rest, count)]
}
