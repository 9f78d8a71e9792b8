import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { plainSteps, play } from './test-kit.ts'
import type { EngineConfig, StepLoad } from './types.ts'

const BASE: EngineConfig = { numGpuBlocks: 101, maxModelLen: 512, maxNumSeqs: 8, maxNumBatchedTokens: 64 }

/** An engine whose steps are recorded and take 1 ms each. */
function recorded(config: EngineConfig) {
  const loads: StepLoad[] = []
  const engine = new Engine(config, {
    stepTimePs(load) {
      const { tokens, sequences, sampled, kvTokens, prefillPairs } = load
      loads.push({ tokens, sequences, sampled, kvTokens, prefillPairs })
      return 1_000_000_000
    },
  })
  return { engine, loads }
}

const finish = (engine: Engine) => engine.advanceTo(Number.MAX_SAFE_INTEGER)

describe('steps', () => {
  it('prefills in chunks within the budget, then decodes a token a step', () => {
    const { engine, loads } = recorded({ ...BASE, asyncScheduling: false })
    engine.submit({ id: 'a', promptTokens: 150, outputTokens: 3 }, 0)
    finish(engine)
    expect(loads.map((load) => [load.tokens, load.sampled, load.kvTokens])).toEqual([
      [64, 0, 64],
      [64, 0, 128],
      [22, 1, 150],
      [1, 1, 151],
      [1, 1, 152],
    ])
  })

  it('decodes running requests before it gives the rest of the budget to a waiting one', () => {
    const { engine, loads } = recorded({ ...BASE, asyncScheduling: false })
    engine.submit({ id: 'a', promptTokens: 10, outputTokens: 20 }, 0)
    engine.submit({ id: 'b', promptTokens: 200, outputTokens: 1 }, 500)
    engine.advanceTo(1000)
    expect(loads[1]).toMatchObject({ tokens: 64, sequences: 2, sampled: 1 })
  })

  it('caps prefill chunks by long_prefill_token_threshold only while others are there', () => {
    const { engine, loads } = recorded({ ...BASE, asyncScheduling: false, longPrefillTokenThreshold: 16 })
    engine.submit({ id: 'alone', promptTokens: 40, outputTokens: 1 }, 0)
    finish(engine)
    expect(loads[0]!.tokens).toBe(40)
    loads.length = 0
    engine.submit({ id: 'b', promptTokens: 40, outputTokens: 1 }, 5000)
    engine.submit({ id: 'c', promptTokens: 40, outputTokens: 1 }, 5100)
    engine.submit({ id: 'd', promptTokens: 40, outputTokens: 1 }, 5200)
    finish(engine)
    expect(loads.map((load) => load.tokens)).toEqual([40, 32, 32, 16])
  })

  it('does not step while idle', () => {
    const { engine, loads } = recorded(BASE)
    expect(engine.nextEventAt()).toBeUndefined()
    engine.advanceTo(1e9)
    expect(loads).toEqual([])
  })
})

describe('asynchronous scheduling', () => {
  const arrive = (asyncScheduling: boolean) => {
    const { outcomes } = play({ ...BASE, asyncScheduling }, [
      { at: 0, request: { id: 'a', promptTokens: 8, outputTokens: 40 } },
      { at: 5_500, request: { id: 'b', promptTokens: 8, outputTokens: 2 } },
    ])
    return outcomes.get('b')!.firstAt!
  }

  it('lets a request wait one step more, since the next one is already scheduled', () => {
    expect(arrive(true) - arrive(false)).toBeGreaterThan(900)
    expect(arrive(true) - arrive(false)).toBeLessThan(1_100)
  })

  it('computes one token too many for an end it cannot foresee, none for max_tokens', () => {
    const run = (maxTokens: number | undefined) => {
      const { engine, loads } = recorded(BASE)
      engine.submit({ id: 'a', promptTokens: 8, outputTokens: 5, maxTokens }, 0)
      finish(engine)
      return loads.length
    }
    expect(run(undefined)).toBe(6)
    expect(run(5)).toBe(5)
  })
})

describe('prefix caching', () => {
  const hashes = (n: number) => Array.from({ length: n }, (_, i) => 100 + i)

  it('computes only what no earlier request left behind, and at least the last token', () => {
    const { engine, loads } = recorded({ ...BASE, asyncScheduling: false })
    engine.submit({ id: 'a', promptTokens: 64, outputTokens: 1, prefixHashes: hashes(4) }, 0)
    finish(engine)
    engine.submit({ id: 'b', promptTokens: 64, outputTokens: 1, prefixHashes: hashes(4) }, 10_000)
    engine.submit({ id: 'c', promptTokens: 50, outputTokens: 1, prefixHashes: hashes(3) }, 20_000)
    finish(engine)
    expect(loads.map((load) => load.tokens)).toEqual([64, 16, 2])
    expect(engine.metrics).toMatchObject({ prefixCacheQueries: 178, prefixCacheHits: 96, promptTokensCached: 96 })
  })

  it('matches a block only behind the same prefix', () => {
    const { engine, loads } = recorded({ ...BASE, asyncScheduling: false })
    engine.submit({ id: 'a', promptTokens: 40, outputTokens: 1, prefixHashes: [1, 2] }, 0)
    finish(engine)
    engine.submit({ id: 'b', promptTokens: 40, outputTokens: 1, prefixHashes: [9, 2] }, 10_000)
    finish(engine)
    expect(loads[1]!.tokens).toBe(40)
  })

  it('shares blocks of requests that run together', () => {
    const { engine } = recorded({ ...BASE, asyncScheduling: false })
    engine.submit({ id: 'a', promptTokens: 33, outputTokens: 9, prefixHashes: [1, 2] }, 0)
    engine.submit({ id: 'b', promptTokens: 33, outputTokens: 9, prefixHashes: [1, 2] }, 500)
    engine.advanceTo(2_000)
    expect(engine.stats().kvCacheUsage).toBeCloseTo(4 / 100, 10)
  })
})

describe('preemption', () => {
  // 17 usable blocks of 4; two requests grow to 10 + 10 blocks.
  const tight: EngineConfig = {
    ...{ numGpuBlocks: 18, blockSize: 4, maxModelLen: 64, maxNumSeqs: 4, maxNumBatchedTokens: 64 },
    ...{ asyncScheduling: false, enablePrefixCaching: false },
  }
  const two = (priorityA: number, priorityB: number) => [
    { at: 0, request: { id: 'a', promptTokens: 20, outputTokens: 20, priority: priorityA } },
    { at: 1, request: { id: 'b', promptTokens: 20, outputTokens: 20, priority: priorityB } },
  ]

  it('takes the last running request and computes its prompt and generated tokens again', () => {
    const { engine, loads } = recorded(tight)
    for (const { at, request } of two(0, 0)) engine.submit(request, at)
    engine.advanceTo(1e6)
    expect(engine.stats().preemptions).toBe(1)
    const [first, again] = loads.filter((load) => load.tokens > 20)
    // b came in with a decoding a; it comes back alone with what it had generated.
    expect(first!.tokens).toBe(21)
    const generated = again!.tokens - 20
    expect(generated).toBeGreaterThan(5)
    expect(again!.sampled).toBe(1)
    expect(engine.metrics.preemptions).toBe(1)
    expect(engine.metrics.generationTokens).toBe(40)
  })

  it('admits nobody in the step that preempts', () => {
    const { engine, loads } = recorded({ ...tight, schedulerReserveFullIsl: false, maxNumBatchedTokens: 24 })
    for (const { at, request } of two(0, 0)) engine.submit(request, at)
    while (engine.stats().preemptions === 0) engine.advanceTo(engine.nextEventAt()!)
    expect(loads.at(-1)).toMatchObject({ sequences: 1, tokens: 1 })
    engine.advanceTo(engine.nextEventAt()!)
    expect(loads.at(-1)).toMatchObject({ sequences: 2, tokens: 24 })
  })

  it('gives the budget of a request preempted out of the step to those behind it', () => {
    // Chunks of 8, 8 and 4 fill the budget of 20, until `low` takes the last blocks and `high`, next in line, takes them back.
    const config = { ...tight, schedulingPolicy: 'priority' as const, longPrefillTokenThreshold: 8 }
    const { engine, loads } = recorded({ ...config, schedulerReserveFullIsl: false, maxNumBatchedTokens: 20 })
    engine.submit({ id: 'low', promptTokens: 60, outputTokens: 3, priority: 9 }, 0)
    engine.submit({ id: 'high', promptTokens: 40, outputTokens: 3, priority: 0 }, 1)
    engine.submit({ id: 'third', promptTokens: 60, outputTokens: 3, priority: 1 }, 2)
    while (engine.stats().preemptions === 0) engine.advanceTo(engine.nextEventAt()!)
    expect(loads.slice(1, 3).map((load) => load.tokens)).toEqual([20, 20])
    expect(loads.at(-1)).toMatchObject({ sequences: 2, tokens: 16 })
    finish(engine)
    expect(engine.unfinished).toBe(0)
  })

  it('prefers the earlier request under FCFS and the lower priority value under priority', () => {
    const fcfs = play(tight, two(1, 0)).outcomes
    expect(fcfs.get('a')!.finishedAt).toBeLessThan(fcfs.get('b')!.finishedAt!)
    const priority = play({ ...tight, schedulingPolicy: 'priority' }, two(1, 0)).outcomes
    expect(priority.get('b')!.finishedAt).toBeLessThan(priority.get('a')!.finishedAt!)
  })

  it('finds its own blocks again where they were not evicted', () => {
    const { engine, loads } = recorded({ ...tight, enablePrefixCaching: true })
    for (const { at, request } of two(0, 0)) engine.submit(request, at)
    engine.advanceTo(1e6)
    expect(engine.stats().preemptions).toBe(1)
    expect(loads.filter((load) => load.tokens > 20).length).toBe(1)
  })
})

describe('aborts, hangs and pauses', () => {
  it('frees an aborted request when the step under way ends, and tells nobody', () => {
    const engine = new Engine(BASE, plainSteps)
    let heard = 0
    engine.submit({ id: 'a', promptTokens: 8, outputTokens: 50 }, 0, { finished: () => heard++ })
    engine.abort('a', 3_000)
    expect(engine.stats().running).toBe(1)
    finish(engine)
    expect(engine.stats()).toMatchObject({ running: 0, kvCacheUsage: 0 })
    expect(heard).toBe(0)
    expect(engine.metrics.success.abort).toBe(0)
  })

  it('ends streams in good form when the server aborts them', () => {
    const engine = new Engine(BASE, plainSteps)
    const heard: unknown[] = []
    engine.submit({ id: 'a', promptTokens: 8, outputTokens: 50 }, 0, { finished: (result) => heard.push(result) })
    engine.abortAll(5_500)
    expect(heard).toEqual([{ at: 5_500, outputTokens: 5, reason: 'abort' }])
    finish(engine)
    expect(heard.length).toBe(1)
  })

  it('answers nothing while hung, keeps its gauges, and goes on where it was', () => {
    const engine = new Engine(BASE, plainSteps)
    let finishedAt = 0
    engine.submit({ id: 'a', promptTokens: 8, outputTokens: 10 }, 0, { finished: ({ at }) => (finishedAt = at) })
    engine.hang(3_500)
    engine.submit({ id: 'b', promptTokens: 8, outputTokens: 1 }, 4_000)
    engine.advanceTo(1_000_000)
    expect(engine.nextEventAt()).toBeUndefined()
    expect(engine.metrics).toMatchObject({ running: 1, waiting: 0 })
    expect(engine.stats().inbox).toBe(1)
    engine.resume(1_003_500)
    finish(engine)
    expect(finishedAt).toBeGreaterThan(1_010_000)
    expect(engine.unfinished).toBe(0)
  })

  it('admits nothing while paused for new requests', () => {
    const engine = new Engine(BASE, plainSteps)
    engine.pause('new', 0)
    engine.submit({ id: 'a', promptTokens: 8, outputTokens: 1 }, 10)
    expect(engine.nextEventAt()).toBeUndefined()
    engine.pause('none', 20)
    expect(engine.nextEventAt()).toBeDefined()
  })

  it('keeps silent to a request that is aborted from within the outcome of another in the same step', () => {
    const engine = new Engine(BASE, plainSteps)
    const heard: string[] = []
    // The first keeps the engine busy, so that the other two are admitted to one step and end in one.
    engine.submit({ id: 'busy', promptTokens: 8, outputTokens: 9 }, 0)
    for (const [id, other] of ['ab', 'ba'] as const)
      engine.submit({ id: id!, promptTokens: 8, outputTokens: 2, maxTokens: 2 }, 1, {
        finished({ at }) {
          heard.push(id!)
          engine.abort(other!, at)
        },
      })
    finish(engine)
    expect(heard).toEqual(['a'])
    expect(engine.unfinished).toBe(0)
    expect(engine.metrics.success.length).toBe(2)
  })

  it('lets an observer submit from within an outcome', () => {
    const engine = new Engine(BASE, plainSteps)
    const done: string[] = []
    const submit = (id: string, at: number, next?: string): void =>
      engine.submit({ id, promptTokens: 8, outputTokens: 2 }, at, {
        finished(result) {
          done.push(id)
          if (next) submit(next, result.at)
        },
      })
    submit('a', 0, 'b')
    finish(engine)
    expect(done).toEqual(['a', 'b'])
  })
})
