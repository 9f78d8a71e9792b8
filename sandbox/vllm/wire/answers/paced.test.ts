import { expect, it } from 'vitest'
import type { GenerationObserver, SequenceOutput } from '../generation.ts'
import { paced } from './paced.ts'

const times = { arrivedAt: 0, scheduledAt: 0, firstTokenAt: 0, lastTokenAt: 0 }

function setUp() {
  const heard: unknown[] = []
  const observer: GenerationObserver = {
    output: (output, at) => heard.push([output, at]),
    ended: (_times, at) => heard.push(['ended', at]),
    failed: (error) => heard.push(error.message),
  }
  let drained: (() => void) | undefined
  const client = { congested: false, drain: () => drained!() }
  const under = paced(observer, {
    congested: (then) => {
      drained = then
      return client.congested
    },
  })
  return { heard, client, under }
}

const token = (id: number, index = 0): SequenceOutput => ({ index, text: `t${id}`, tokenIds: [id] })

it('tells each output at once while the client reads', () => {
  const { heard, under } = setUp()
  under.output(token(1), 10)
  under.output(token(2), 20)
  under.ended(times, 20)
  expect(heard).toEqual([
    [token(1), 10],
    [token(2), 20],
    ['ended', 20],
  ])
})

it('makes one of what came while it did not, sequence by sequence, and ends after it', () => {
  const { heard, client, under } = setUp()
  under.output(token(1), 10)
  client.congested = true
  under.output(token(2), 20)
  under.output(token(7, 1), 20)
  under.output({ ...token(3), finish: { reason: 'length', stopReason: null } }, 30)
  under.ended(times, 30)
  expect(heard).toHaveLength(1)
  client.congested = false
  client.drain()
  expect(heard.slice(1)).toEqual([
    [{ index: 0, text: 't2t3', tokenIds: [2, 3], finish: { reason: 'length', stopReason: null } }, 30],
    [token(7, 1), 20],
    ['ended', 30],
  ])
})

it('is the observer itself where the stream cannot tell', () => {
  const { under } = setUp()
  expect(paced(under, {})).toBe(under)
})
