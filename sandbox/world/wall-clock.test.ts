import { expect, it } from 'vitest'
import { ms, toRfc3339 } from './time.ts'
import { WallClock } from './wall-clock.ts'

const after = (clock: WallClock, delayMs: number) =>
  new Promise<void>((resolve) => {
    clock.after(ms(delayMs), resolve)
  })

it('runs calls in order of time, then of scheduling', async () => {
  const clock = new WallClock()
  const order: string[] = []
  const start = clock.now
  clock.at(start + ms(20), () => order.push('late'))
  clock.at(start + ms(5), () => order.push('first'))
  clock.at(start + ms(5), () => order.push('second'))
  clock.after(ms(1), () => order.push('cancelled')).cancel()
  clock.at(start - ms(5), () => order.push('past'))
  await after(clock, 40)
  expect(order).toEqual(['past', 'first', 'second', 'late'])
  expect(clock.now - start).toBeGreaterThanOrEqual(ms(40))
  clock.stop()
})

it('tells the time that a server on this machine writes', () => {
  const clock = new WallClock()
  expect(Math.abs(Date.parse(toRfc3339(clock.now)) - Date.now())).toBeLessThan(1500)
})

it('wakes for a call that is scheduled before the one it waits for, and without a timer for what is due', async () => {
  const clock = new WallClock()
  clock.after(ms(60_000), () => {})
  const start = clock.now
  for (let i = 0; i < 200; i++) await after(clock, 0)
  expect(clock.now - start).toBeLessThan(ms(190))
  await after(clock, 2)
  clock.stop()
})

it('gives the errors of calls to onError and goes on', async () => {
  const errors: unknown[] = []
  const clock = new WallClock({ onError: (error) => errors.push(error) })
  clock.after(0, () => {
    throw new Error('broken')
  })
  await after(clock, 5)
  expect(errors).toEqual([new Error('broken')])
  clock.stop()
})

it('runs nothing after stop', async () => {
  const clock = new WallClock()
  let ran = false
  clock.after(ms(5), () => {
    ran = true
  })
  clock.stop()
  const other = new WallClock()
  await after(other, 20)
  expect(ran).toBe(false)
  other.stop()
})

it('knows how late it was at worst', async () => {
  const clock = new WallClock()
  clock.after(ms(1), () => {})
  const until = clock.now + ms(50)
  while (clock.now < until);
  await after(clock, 1)
  expect(clock.latestUs).toBeGreaterThanOrEqual(ms(45))
  clock.stop()
})

it('can begin at the last whole second of the wall', () => {
  const clock = WallClock.fromNow()
  expect(clock.now).toBeLessThan(ms(1100))
  expect(clock.zeroMs % 1000).toBe(0)
  expect(Math.abs(clock.zeroMs + clock.now / 1e3 - Date.now())).toBeLessThan(100)
})

it('turns the loop before a call is due, and never calls it early', async () => {
  const clock = new WallClock({ spinUs: ms(3) })
  const early: number[] = []
  for (let i = 0; i < 20; i++)
    await new Promise<void>((resolve) => {
      const due = clock.now + ms(1 + (i % 5)) + 337
      clock.at(due, () => {
        early.push(due - clock.now)
        expect(clock.scheduled).toBe(due)
        resolve()
      })
    })
  clock.stop()
  expect(Math.max(...early)).toBeLessThanOrEqual(0)
})
