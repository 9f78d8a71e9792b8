import fc from 'fast-check'
import { Engine } from './engine.ts'
import type { EngineConfig, EngineRequest, FinishReason, StepModel } from './types.ts'

/** Steps that cost 1 ms and 1 µs per token, plus an odd number of picoseconds. */
export const plainSteps: StepModel = { stepTimePs: (load) => 1_000_000_000 + load.tokens * 1_000_000 + 7 }

/** What an observer heard of one request. */
export interface Outcome {
  id: string
  firstAt?: number
  finishedAt?: number
  outputTokens?: number
  reason?: FinishReason
  calls: number
}

export interface Arrival {
  readonly at: number
  readonly request: EngineRequest
  readonly abortAfter?: number
}

/** Runs arrivals to the end, calling `check` at every step's end; without one it leaps from arrival to arrival. */
export function play(
  config: EngineConfig,
  arrivals: readonly Arrival[],
  check?: (engine: Engine) => void,
  steps: StepModel = plainSteps,
) {
  const engine = new Engine(config, steps, check ? 'exact' : 'leap')
  const outcomes = new Map<string, Outcome>()
  const events = arrivals.flatMap((arrival, order) => [
    { at: arrival.at, order, arrival, abort: false },
    ...(arrival.abortAfter === undefined ? [] : [{ at: arrival.at + arrival.abortAfter, order, arrival, abort: true }]),
  ])
  events.sort((a, b) => a.at - b.at || Number(a.abort) - Number(b.abort) || a.order - b.order)
  const runTo = (until: number) => {
    if (!check) return engine.advanceTo(until)
    for (let next = engine.nextEventAt(); next !== undefined && next <= until; next = engine.nextEventAt()) {
      engine.advanceTo(next)
      check(engine)
    }
  }
  for (const { at, arrival, abort } of events) {
    runTo(at)
    if (abort) engine.abort(arrival.request.id, at)
    else {
      const outcome: Outcome = { id: arrival.request.id, calls: 0 }
      outcomes.set(outcome.id, outcome)
      engine.submit(arrival.request, at, {
        firstToken: (when) => {
          outcome.firstAt = when
        },
        finished: (result) => {
          outcome.calls++
          outcome.finishedAt = result.at
          outcome.outputTokens = result.outputTokens
          outcome.reason = result.reason
        },
      })
    }
  }
  runTo(Number.MAX_SAFE_INTEGER)
  return { engine, outcomes }
}

/** Small engines under pressure: few blocks, small budgets, both policies, with and without asynchronous scheduling. */
export const configs: fc.Arbitrary<EngineConfig> = fc.record({
  numGpuBlocks: fc.integer({ min: 18, max: 60 }),
  blockSize: fc.constantFrom(4, 16),
  maxModelLen: fc.constant(64),
  maxNumSeqs: fc.integer({ min: 1, max: 8 }),
  maxNumBatchedTokens: fc.integer({ min: 8, max: 64 }),
  enablePrefixCaching: fc.boolean(),
  enableChunkedPrefill: fc.constant(true),
  longPrefillTokenThreshold: fc.constantFrom(0, 5),
  longPrefillTokenThresholdAdaptive: fc.boolean(),
  schedulingPolicy: fc.constantFrom('fcfs' as const, 'priority' as const),
  asyncScheduling: fc.boolean(),
  schedulerReserveFullIsl: fc.boolean(),
  watermark: fc.constantFrom(0, 0.1),
})

/** Up to 30 requests within 40 ms; prompts share one of three prefixes. */
export const arrivalLists: fc.Arbitrary<Arrival[]> = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 40_000 }),
      promptTokens: fc.integer({ min: 1, max: 40 }),
      outputTokens: fc.integer({ min: 1, max: 40 }),
      maxTokens: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      prefix: fc.integer({ min: 0, max: 2 }),
      priority: fc.integer({ min: 0, max: 2 }),
      abortAfter: fc.option(fc.integer({ min: 0, max: 30_000 }), { nil: undefined, freq: 5 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((list) =>
    list.map(({ at, prefix, abortAfter, ...rest }, i) => ({
      at,
      abortAfter,
      request: { id: `r${i}`, ...rest, prefixHashes: Array.from({ length: 10 }, (_, b) => prefix * 1000 + b + 1) },
    })),
  )
