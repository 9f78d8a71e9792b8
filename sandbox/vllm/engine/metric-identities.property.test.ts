import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import type { EngineMetrics, Histogram } from './metrics.ts'
import { RequestGroup } from './request-group.ts'
import { arrivalLists, configs, plainSteps, play } from './test-kit.ts'

const answered = ({ success }: EngineMetrics) => Object.values(success).reduce((sum, n) => sum + n, 0)

const perRequest = (metrics: EngineMetrics): Histogram[] => [
  metrics.e2e,
  metrics.queueTime,
  metrics.inferenceTime,
  metrics.prefillTime,
  metrics.decodeTime,
  metrics.timePerOutputToken,
  metrics.requestPreemptions,
  metrics.requestPromptTokens,
  metrics.requestGenerationTokens,
  metrics.requestMaxTokens,
  metrics.prefillKvComputed,
]

describe('metrics keep their identities', () => {
  it('of gauges, after every step', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        play(config, arrivals, ({ metrics }) => {
          expect(metrics.running).toBeLessThanOrEqual(config.maxNumSeqs!)
          expect(metrics.waitingDeferred).toBeLessThanOrEqual(metrics.waiting)
          expect(metrics.kvCacheUsage).toBeGreaterThanOrEqual(0)
          expect(metrics.kvCacheUsage).toBeLessThanOrEqual(1)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('of counters and histograms, of any load, whatever clients leave', () => {
    fc.assert(
      fc.property(configs, arrivalLists, (config, arrivals) => {
        const { engine, outcomes } = play(config, arrivals)
        const { metrics } = engine
        const withToken = [...outcomes.values()].filter(({ firstAt }) => firstAt !== undefined).length
        const finished = [...outcomes.values()].filter(({ calls }) => calls > 0).length
        expect(metrics.timeToFirstToken.count).toBeGreaterThanOrEqual(withToken)
        if (arrivals.every(({ abortAfter }) => abortAfter === undefined))
          expect(metrics.timeToFirstToken.count).toBe(withToken)
        expect(metrics.timeToFirstToken.count + metrics.interTokenLatency.count).toBe(metrics.generationTokens)
        expect(metrics.promptTokensComputed + metrics.promptTokensCached).toBe(metrics.promptTokens)
        expect(metrics.iterationTokens.sum).toBe(metrics.promptTokensComputed + metrics.generationTokens)
        // a client that leaves counts nothing
        expect(answered(metrics)).toBe(finished)
        expect(metrics.success.abort).toBe(0)
        for (const histogram of perRequest(metrics)) expect(histogram.count).toBe(finished)
        expect(metrics.paramsN.count).toBe(finished)
        expect(metrics.requestGenerationTokens.sum).toBeLessThanOrEqual(metrics.generationTokens)
        expect([metrics.running, metrics.waiting]).toEqual([0, 0])
      }),
      { numRuns: 150 },
    )
  })

  it('of requests with several sequences: n and the longest count once', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })), (requests) => {
        const engine = new Engine({ numGpuBlocks: 400, maxModelLen: 64 }, plainSteps)
        requests.forEach((lengths, r) => {
          const group = new RequestGroup(lengths.length)
          lengths.forEach((outputTokens, i) => {
            engine.submit({ id: `${i}_${r}`, promptTokens: 5, outputTokens, group }, 0)
          })
        })
        engine.advanceTo(1e9)
        const { metrics } = engine
        const sequences = requests.flat().length
        expect(metrics.timeToFirstToken.count).toBe(sequences)
        expect(answered(metrics)).toBe(sequences)
        expect(metrics.paramsN.count).toBe(requests.length)
        expect(metrics.paramsN.sum).toBe(sequences)
        expect(metrics.requestMaxGenerationTokens.sum).toBe(requests.reduce((sum, all) => sum + Math.max(...all), 0))
      }),
      { numRuns: 50 },
    )
  })
})

describe('requests the server ends itself', () => {
  it('count as aborted, each in every histogram', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 64, maxNumSeqs: 1 }, plainSteps)
    engine.submit({ id: 'runs', promptTokens: 5, outputTokens: 40 }, 0)
    engine.submit({ id: 'waits', promptTokens: 5, outputTokens: 40 }, 0)
    engine.abortAll(10_000)
    engine.advanceTo(1e6)
    const { metrics } = engine
    expect(metrics.success).toMatchObject({ abort: 2, stop: 0, length: 0 })
    for (const histogram of perRequest(metrics)) expect(histogram.count).toBe(2)
    expect(metrics.timeToFirstToken.count).toBe(2)
    expect([metrics.running, metrics.waiting]).toEqual([0, 0])
  })
})

describe('adapters in use', () => {
  it('are told by name while they have requests under way, from their first output on', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 64, enableLora: true }, plainSteps)
    engine.submit({ id: 'a', promptTokens: 5, outputTokens: 10, lora: 'one' }, 0)
    engine.submit({ id: 'b', promptTokens: 5, outputTokens: 20, lora: 'two' }, 0)
    engine.submit({ id: 'c', promptTokens: 5, outputTokens: 40, lora: 'two' }, 0)
    engine.submit({ id: 'd', promptTokens: 5, outputTokens: 50 }, 0)
    engine.abort('c', 30_000)
    engine.advanceTo(1e6)
    const { seen } = engine.metrics.lora!
    expect([...seen.keys()]).toEqual(['one', 'one,two', 'two', ''])
    const times = [...seen.values()]
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('are not told of by a server without LoRA', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 64 }, plainSteps)
    engine.submit({ id: 'a', promptTokens: 5, outputTokens: 10, lora: 'one' }, 0)
    engine.advanceTo(1e6)
    expect(engine.metrics.lora).toBeUndefined()
  })
})
