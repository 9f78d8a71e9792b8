import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engine } from './engine.ts'
import { RUNNING } from './requests.ts'
import { arrivalLists, configs, plainSteps, play } from './test-kit.ts'
import type { StepModel } from './types.ts'

/** Every block is free, or held by exactly as many requests as its count says. */
function blocksAreAccounted(engine: Engine): void {
  const { kv, table, running } = engine.scheduler
  const holders = new Int32Array(kv.pool.numGpuBlocks)
  for (const slot of running) {
    expect(table.status[slot]).toBe(RUNNING)
    const mine = table.blocks[slot]!.subarray(0, table.numBlocks[slot])
    expect(new Set(mine).size).toBe(mine.length)
    for (const block of mine) holders[block] = holders[block]! + 1
  }
  expect(Array.from(kv.pool.refCount)).toEqual(Array.from(holders))
  const free = kv.pool.freeOrder()
  expect(free.length).toBe(kv.pool.numFree)
  expect(new Set(free).size).toBe(free.length)
  for (const block of free) expect(holders[block]).toBe(0)
  const held = holders.reduce((count, n) => count + (n > 0 ? 1 : 0), 0)
  expect(held + free.length).toBe(kv.pool.numGpuBlocks - 1)
}

describe('engine', () => {
  it('accounts for every block and stays within its limits after every step', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        play(config, arrivals, (engine) => {
          blocksAreAccounted(engine)
          expect(engine.scheduler.running.length).toBeLessThanOrEqual(config.maxNumSeqs!)
          expect(engine.metrics.kvCacheUsage).toBeLessThanOrEqual(1)
        })
      }),
      { numRuns: 150 },
    )
  })

  it('never computes more tokens in a step than the budget', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        let most = 0
        play(config, arrivals, (engine) => {
          most = Math.max(most, engine.lastStepTokens)
        })
        expect(most).toBeLessThanOrEqual(config.maxNumBatchedTokens!)
      }),
      { numRuns: 60 },
    )
  })

  it('makes a token of each sample, also of a request that is computed again after its blocks were taken', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        // a limit that is known beforehand: nothing is sampled in vain
        const limited = arrivals.map(({ at, request }) => ({
          at,
          request: { ...request, maxTokens: request.outputTokens },
        }))
        let sampled = 0
        const steps: StepModel = {
          stepTimePs(load) {
            sampled += load.sampled
            return plainSteps.stepTimePs(load)
          },
        }
        const { engine } = play(config, limited, () => undefined, steps)
        expect(engine.metrics.generationTokens).toBe(sampled)
      }),
      { numRuns: 200 },
    )
  })

  it('finishes every request exactly once, with its tokens, and leaves nothing behind', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        const { engine, outcomes } = play(config, arrivals)
        for (const { request, abortAfter } of arrivals) {
          const outcome = outcomes.get(request.id)!
          if (abortAfter !== undefined && outcome.calls === 0) continue
          const limit = Math.min(request.maxTokens ?? 64, 64 - request.promptTokens)
          expect(outcome).toMatchObject({
            calls: 1,
            outputTokens: Math.min(request.outputTokens, limit),
            reason: request.outputTokens >= limit ? 'length' : 'stop',
          })
          expect(outcome.finishedAt).toBeGreaterThanOrEqual(outcome.firstAt!)
        }
        expect(engine.unfinished).toBe(0)
        expect(engine.stats().kvCacheUsage).toBe(0)
        expect(engine.nextEventAt()).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  it('gives first tokens in order of arrival when requests are alike and FCFS', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        const alike = arrivals
          .map(({ at, request: { id } }) => ({ at, request: { id, promptTokens: 9, outputTokens: 12 } }))
          .sort((a, b) => a.at - b.at)
        const { engine, outcomes } = play({ ...config, schedulingPolicy: 'fcfs', numGpuBlocks: 300 }, alike)
        expect(engine.stats().preemptions).toBe(0)
        const firsts = alike.map(({ request }) => outcomes.get(request.id)!.firstAt!)
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b))
      }),
      { numRuns: 60 },
    )
  })

  it('repeats itself exactly, and does not depend on how often it is looked at', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        const [a, b] = [play(config, arrivals), play(config, arrivals, (engine) => engine.stats())]
        expect([...b.outcomes]).toEqual([...a.outcomes])
        expect(b.engine.metrics).toEqual(a.engine.metrics)
      }),
      { numRuns: 60 },
    )
  })
})
