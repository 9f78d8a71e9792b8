import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRequestQueue } from './request-queue.ts'
import { RequestTable } from './requests.ts'

/** A table with one request per entry of `priorities`; arrival times in the order given unless `arrivals` says otherwise. */
function tableOf(priorities: readonly number[], arrivals?: readonly number[]): RequestTable {
  const table = new RequestTable(2)
  priorities.forEach((priority, i) => {
    table.add({
      request: { id: `r${i}`, promptTokens: 1, outputTokens: 1, priority },
      observer: {},
      sharedHashes: new Float64Array(),
      ...{ maxTokens: 1, reason: 'length', serial: i + 1, arrivedAt: arrivals?.[i] ?? i, formerBlocks: undefined },
    })
  })
  return table
}

const drain = (queue: ReturnType<typeof createRequestQueue>) => Array.from({ length: queue.length }, () => queue.pop())

describe('request queues', () => {
  it('FCFS is a deque', () => {
    const commands = fc.array(fc.oneof(fc.nat(1000), fc.constantFrom('pop', 'remove', 'prepend')), { maxLength: 300 })
    fc.assert(
      fc.property(commands, (list) => {
        const queue = createRequestQueue('fcfs', new RequestTable(1))
        const model: number[] = []
        for (const command of list) {
          if (typeof command === 'number') {
            queue.add(command)
            model.push(command)
          } else if (command === 'prepend') {
            queue.prepend(2000)
            model.unshift(2000)
          } else if (model.length > 0 && command === 'pop') expect(queue.pop()).toBe(model.shift())
          else if (model.length > 0) {
            const victim = model[Math.floor(model.length / 2)]!
            queue.removeAll(new Set([victim]))
            const kept = model.filter((slot) => slot !== victim)
            model.splice(0, model.length, ...kept)
          }
          expect(queue.toArray()).toEqual(model)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('priority goes by (priority, arrival, submission), also for what is put back', () => {
    const requests = fc.array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), arrival: fc.nat(5) }), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(requests, (list) => {
        const table = tableOf(
          list.map((r) => r.priority),
          list.map((r) => r.arrival),
        )
        const queue = createRequestQueue('priority', table)
        const slots = list.map((_, i) => Array.from(table.serial).indexOf(i + 1))
        for (const [i, slot] of slots.entries()) {
          if (i % 2 === 0) queue.add(slot)
          else queue.prepend(slot)
        }
        const expected = list
          .map((r, i) => ({ ...r, i }))
          .sort((a, b) => a.priority - b.priority || a.arrival - b.arrival || a.i - b.i)
          .map(({ i }) => slots[i]!)
        expect(queue.toArray()).toEqual(expected)
        if (expected.length > 2) {
          queue.removeAll(new Set([expected[1]!]))
          expected.splice(1, 1)
        }
        expect(drain(queue)).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})
