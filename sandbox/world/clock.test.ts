import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from './clock.ts'

describe('VirtualClock', () => {
  it('runs calls in the order of time, and calls of one time in the order they were scheduled', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (times) => {
        const clock = new VirtualClock()
        const ran: { at: number; i: number }[] = []
        for (const [i, at] of times.entries()) clock.at(at, () => ran.push({ at: clock.now, i }))
        clock.runUntil(100)
        const expected = times.map((at, i) => ({ at, i })).sort((a, b) => a.at - b.at || a.i - b.i)
        expect(ran).toEqual(expected)
      }),
    )
  })

  it('stands at the time it was told to run until, also when nothing was due', () => {
    const clock = new VirtualClock()
    clock.runUntil(70)
    expect(clock.now).toBe(70)
  })

  it('runs what a call schedules for the same time within the same run, after what was there', () => {
    const clock = new VirtualClock()
    const ran: string[] = []
    clock.at(5, () => {
      ran.push('a')
      clock.after(0, () => ran.push('c'))
    })
    clock.at(5, () => ran.push('b'))
    clock.runUntil(5)
    expect(ran).toEqual(['a', 'b', 'c'])
  })

  it('does not run what was cancelled, and a time in the past is now', () => {
    const clock = new VirtualClock()
    clock.runUntil(10)
    const ran: number[] = []
    clock.at(20, () => ran.push(1)).cancel()
    clock.at(3, () => ran.push(clock.now))
    clock.runUntil(30)
    expect(ran).toEqual([10])
  })
})
