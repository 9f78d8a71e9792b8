import { describe, expect, it } from 'vitest'
import { threeWay } from './three-way.ts'

/** Found by the oracle, which asks kubectl's own merge (apiserver.oracle.test.ts). */
describe('the order of a merged list', () => {
  const volumes = (...names: string[]) => ({ volumes: names.map((name) => ({ name, emptyDir: {} })) })
  const merged = (original: object, modified: object, live: object) =>
    (threeWay({ original, modified, live, lists: 'by key' }) as ReturnType<typeof volumes>).volumes.map((v) => v.name)

  it('keeps what others put before an item before it', () => {
    expect(merged(volumes('w'), volumes('w'), volumes('v', 'w'))).toEqual(['v', 'w'])
  })

  it('puts new items before what others put', () => {
    expect(merged(volumes('a'), volumes('a', 'b'), volumes('a', 'x'))).toEqual(['a', 'b', 'x'])
  })

  it('puts a new item where one was deleted', () => {
    expect(merged(volumes('a'), volumes('b'), volumes('x', 'a'))).toEqual(['x', 'b'])
  })

  it('leaves a set of names alone whose sorted form is the manifest’s', () => {
    const merge = (live: string[]) =>
      threeWay({ original: {}, modified: { finalizers: ['a', 'b'] }, live: { finalizers: live }, lists: 'by key' })
    expect(merge(['b', 'a'])).toEqual({ finalizers: ['b', 'a'] })
    expect(merge(['b', 'c'])).toEqual({ finalizers: ['a', 'b', 'c'] })
  })
})
