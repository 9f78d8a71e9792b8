import { describe, expect, it } from 'vitest'
import { ActorError, all, allSettled, Signal, sleep, spawn, type Task } from './actor.ts'
import { VirtualClock } from './clock.ts'

const clock = () => new VirtualClock()

function* later<T>(delay: number, value: T): Task<T> {
  yield* sleep(delay)
  return value
}

function* failLater(delay: number): Task<never> {
  yield* sleep(delay)
  throw new Error(`failed at ${delay}`)
}

describe('actors', () => {
  it('sleep in virtual time and return a value to who joins them', () => {
    const c = clock()
    const child = spawn(c, 'child', later(30, 'x'))
    let got: unknown
    spawn(
      c,
      'parent',
      (function* () {
        got = [yield* child.join(), c.now]
      })(),
    )
    c.runUntil(29)
    expect(got).toBeUndefined()
    c.runUntil(30)
    expect(got).toEqual(['x', 30])
  })

  it('end the run with their name when they fail and nobody joins them', () => {
    const c = clock()
    spawn(c, 'kubelet/a', failLater(5))
    expect(() => c.runUntil(10)).toThrow(ActorError)
    expect(() => {
      const d = clock()
      spawn(d, 'kubelet/a', failLater(5))
      d.runUntil(10)
    }).toThrow(/kubelet\/a failed: failed at 5/)
  })

  it('run their finally blocks when stopped, and nothing after', () => {
    const c = clock()
    const seen: string[] = []
    const actor = spawn(
      c,
      'a',
      (function* (): Task {
        try {
          yield* sleep(10)
          seen.push('woke')
        } finally {
          seen.push('closed')
        }
      })(),
    )
    c.runUntil(5)
    actor.stop()
    c.runUntil(50)
    expect(seen).toEqual(['closed'])
    expect(actor.done).toBe(true)
  })

  it('all() waits for every task, keeps their order, and throws the first error by order, not by time', () => {
    const c = clock()
    let got: unknown
    spawn(
      c,
      'a',
      (function* () {
        got = yield* all([later(30, 1), later(10, 2)])
      })(),
    )
    c.runUntil(30)
    expect(got).toEqual([1, 2])
    let error: unknown
    spawn(
      c,
      'b',
      (function* () {
        try {
          yield* all([failLater(20), failLater(10)])
        } catch (e) {
          error = e
        }
      })(),
    )
    c.runUntil(100)
    expect((error as Error).message).toBe('failed at 20')
  })

  it('allSettled() of nothing is done at once', () => {
    const c = clock()
    let got: unknown
    spawn(
      c,
      'a',
      (function* () {
        got = yield* allSettled([])
      })(),
    )
    expect(got).toEqual([])
  })

  it('a signal wakes those that wait, in the order they came, and a timeout says so', () => {
    const c = clock()
    const signal = new Signal()
    const seen: string[] = []
    const wait = (name: string, timeout?: number) =>
      spawn(
        c,
        name,
        (function* () {
          seen.push(`${name} ${(yield* signal.waitFor(timeout)) ? 'woken' : 'timed out'} ${c.now}`)
        })(),
      )
    wait('a')
    wait('b', 5)
    wait('c', 20)
    c.at(10, () => signal.notify())
    c.runUntil(30)
    expect(seen).toEqual(['b timed out 5', 'a woken 10', 'c woken 10'])
  })
})
