import { describe, expect, it } from 'vitest'
import { sleep, spawn } from '../world/actor.ts'
import { VirtualClock } from '../world/clock.ts'
import { ms, seconds } from '../world/time.ts'
import { WorkQueue } from './workqueue.ts'

/** A queue with workers that take 10 ms a key; the log has each start with its time. */
function working(workers = 1) {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock)
  const log: string[] = []
  for (let i = 0; i < workers; i++)
    spawn(
      clock,
      `worker-${i}`,
      (function* () {
        for (;;) {
          const key = yield* queue.take()
          log.push(`${key}@${clock.now / 1e3}`)
          yield* sleep(ms(10))
          queue.done(key)
        }
      })(),
    )
  return { clock, queue, log }
}

describe('a work queue', () => {
  it('holds a key once however often it is added', () => {
    const { clock, queue, log } = working()
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    clock.runUntil(seconds(1))
    expect(log).toEqual(['a@0', 'b@10'])
  })

  it('never gives one key to two workers, and gives it again when it was added meanwhile', () => {
    const { clock, queue, log } = working(3)
    queue.add('a')
    clock.runUntil(ms(5))
    queue.add('a')
    queue.add('b')
    clock.runUntil(seconds(1))
    expect(log).toEqual(['a@0', 'b@5', 'a@10'])
  })

  it('keeps the earlier of two times a key is to come back', () => {
    const { clock, queue, log } = working()
    queue.addAfter('a', ms(50))
    queue.addAfter('a', ms(20))
    queue.addAfter('a', ms(90))
    clock.runUntil(seconds(1))
    expect(log).toEqual(['a@20'])
  })

  it('doubles the delay with each failure until the key is forgotten', () => {
    const { clock, queue, log } = working()
    for (let i = 0; i < 4; i++) {
      queue.addRateLimited('a')
      clock.runUntil(clock.now + ms(100))
    }
    queue.forget('a')
    queue.addRateLimited('a')
    clock.runUntil(clock.now + ms(100))
    expect(log).toEqual(['a@5', 'a@110', 'a@220', 'a@340', 'a@405'])
  })

  it('slows all failing keys down to ten a second after the first hundred', () => {
    const { clock, queue } = working()
    const due: number[] = []
    for (let i = 0; i < 120; i++) queue.addRateLimited(`key-${i}`)
    for (let at = 0; at <= 3000; at += 100) {
      clock.runUntil(ms(at))
      due.push(queue.length)
    }
    clock.runUntil(seconds(10))
    expect(queue.length).toBe(0)
    expect(due.at(10)).toBeLessThanOrEqual(120 - 90)
  })
})
