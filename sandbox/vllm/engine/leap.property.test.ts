import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gpus } from '../../../fixtures/gpus/index.ts'
import { models } from '../../../fixtures/models/index.ts'
import { VirtualClock } from '../../world/clock.ts'
import { EngineHost } from './engine-host.ts'
import { rooflineStepModel } from './step-time.ts'
import type { EngineConfig, EngineDriver, EngineRequest, StepModel } from './types.ts'

type Fault =
  | { readonly what: 'scrape' | 'stats' | 'hang' | 'resume' | 'crash' | 'shutdown' }
  | { readonly what: 'slow'; readonly factor: number }
  | { readonly what: 'pause'; readonly state: 'none' | 'new' | 'all' }
type Action =
  | Fault
  | { readonly what: 'submit'; readonly request: EngineRequest; readonly abortAfter: number | undefined }

interface Workload {
  readonly config: EngineConfig
  readonly steps: StepModel
  readonly actions: readonly (Action & { readonly at: number })[]
}

/** 60 s in which requests come, are given up, and things happen to the server; few blocks, so that some are preempted. */
const END = 60e6
const MAX_LEN = 512

const configs: fc.Arbitrary<EngineConfig> = fc
  .record({
    blockSize: fc.constantFrom(8, 16, 32),
    spare: fc.integer({ min: 1, max: 120 }),
    maxModelLen: fc.constant(MAX_LEN),
    maxNumSeqs: fc.integer({ min: 1, max: 16 }),
    maxNumBatchedTokens: fc.constantFrom(16, 64, 512),
    enablePrefixCaching: fc.boolean(),
    enableChunkedPrefill: fc.boolean(),
    longPrefillTokenThreshold: fc.constantFrom(0, 40),
    schedulingPolicy: fc.constantFrom('fcfs' as const, 'priority' as const),
    asyncScheduling: fc.boolean(),
    schedulerReserveFullIsl: fc.boolean(),
    watermark: fc.constantFrom(0, 0.05),
  })
  .map(({ spare, ...config }) => ({
    ...config,
    maxNumBatchedTokens: config.enableChunkedPrefill ? config.maxNumBatchedTokens : MAX_LEN,
    numGpuBlocks: MAX_LEN / config.blockSize + spare,
  }))

const requests = fc.record({
  promptTokens: fc.integer({ min: 1, max: 200 }),
  outputTokens: fc.integer({ min: 1, max: 300 }),
  maxTokens: fc.option(fc.integer({ min: 1, max: 250 }), { nil: undefined }),
  priority: fc.integer({ min: 0, max: 2 }),
  prefix: fc.integer({ min: 0, max: 3 }),
  abortAfter: fc.option(fc.integer({ min: 0, max: 8e6 }), { nil: undefined, freq: 4 }),
})

const faults: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom({ what: 'scrape' as const }, { what: 'stats' as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ what: 'hang' as const }, { what: 'resume' as const }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('slow' as const), factor: fc.constantFrom(1, 1.37, 4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('pause' as const),
      state: fc.constantFrom('none' as const, 'new' as const, 'all' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ what: 'crash' as const }, { what: 'shutdown' as const }) },
)

const times = fc.integer({ min: 0, max: END / 2 })

const workloads: fc.Arbitrary<Workload> = fc
  .record({
    config: configs,
    gpu: fc.constantFrom(...gpus),
    model: fc.constantFrom(...models),
    submits: fc.array(fc.tuple(times, requests), { minLength: 1, maxLength: 30 }),
    others: fc.array(fc.tuple(times, faults), { maxLength: 12 }),
  })
  .map(({ config, gpu, model, submits, others }) => ({
    config,
    steps: rooflineStepModel({ gpu, model }),
    actions: [
      ...submits.map(([at, { prefix, abortAfter, ...rest }], i) => ({
        at,
        what: 'submit' as const,
        abortAfter,
        request: { id: `r${i}`, ...rest, prefixHashes: Array.from({ length: 12 }, (_, b) => prefix * 100 + b + 1) },
      })),
      ...others.map(([at, fault]) => ({ at, ...fault })),
    ],
  }))

/** Everything anyone could see of a server, with the time they see it. */
function seen({ config, steps, actions }: Workload, driver: EngineDriver) {
  const clock = new VirtualClock()
  const host = new EngineHost(clock, config, steps, driver)
  const log: unknown[] = []
  const note = (...what: unknown[]) => log.push([clock.now, ...what])
  const scrape = () => note('scrape', structuredClone(host.metrics({ modelName: 'm' })))
  const act = (action: Action): void => {
    if (action.what === 'submit') {
      const { request, abortAfter } = action
      const hangUp = host.submit(request, {
        firstToken: (at) => note('first', request.id, at),
        finished: (result) => note('finished', request.id, result),
      })
      if (abortAfter !== undefined) clock.after(abortAfter, hangUp)
    } else if (action.what === 'scrape') scrape()
    else if (action.what === 'stats') note('stats', host.stats(), host.engine.unfinished)
    else if (action.what === 'hang') host.hang()
    else if (action.what === 'resume') host.resume()
    else if (action.what === 'slow') host.slowDown(action.factor)
    else if (action.what === 'pause') host.pause(action.state)
    else if (action.what === 'shutdown') host.abortAll()
    else {
      host.close()
      note('crash', host.stats())
    }
  }
  let closed = false
  for (const action of actions)
    clock.at(action.at, () => {
      if (closed && action.what !== 'scrape' && action.what !== 'stats') return
      act(action)
      closed ||= action.what === 'crash'
    })
  clock.runUntil(END)
  scrape()
  note('stats', host.stats(), host.engine.lastStepTokens)
  const { table, kv } = host.engine.scheduler
  note('blocks', kv.pool.freeOrder(), [...kv.pool.hash], [...kv.pool.owner])
  note('requests', [...table.numTokens], [...table.computed], [...table.status])
  return { log, events: clock.events }
}

describe('the leap driver', () => {
  it('shows what the exact driver shows, to the last bit: 500 random workloads', () => {
    let [exactEvents, leapEvents] = [0, 0]
    fc.assert(
      fc.property(workloads, (workload) => {
        const exact = seen(workload, 'exact')
        const leap = seen(workload, 'leap')
        expect(leap.log).toEqual(exact.log)
        exactEvents += exact.events
        leapEvents += leap.events
      }),
      { numRuns: 500 },
    )
    expect(leapEvents).toBeLessThan(exactEvents / 3)
  }, 120_000)
})
