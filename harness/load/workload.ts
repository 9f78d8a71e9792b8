import type { RandomStream } from '../../sandbox/world/random.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { type LengthDistribution, sampleLength } from './lengths.ts'

/** What clients ask for, and how often. Open loop: arrivals do not wait for answers. */
export interface Workload {
  readonly arrival: 'constant' | 'poisson'
  readonly requestsPerSecond: number
  readonly promptTokens: LengthDistribution
  readonly outputTokens: LengthDistribution
  /** A client hangs up when it has waited this long for the whole answer. */
  readonly timeoutUs: Us
}

/** One request of a schedule; `at` is when it is meant to be sent. */
export interface Planned {
  readonly at: Us
  readonly promptTokens: number
  readonly outputTokens: number
}

/** The requests from `from` on, without end, in the order of time. The same stream gives the same schedule. */
export function* schedule(workload: Workload, from: Us, random: RandomStream): Generator<Planned, never> {
  const meanGap = 1e6 / workload.requestsPerSecond
  let at = from
  for (;;) {
    at += workload.arrival === 'constant' ? meanGap : random.exponential(meanGap)
    yield {
      at: Math.round(at),
      promptTokens: sampleLength(workload.promptTokens, random),
      outputTokens: sampleLength(workload.outputTokens, random),
    }
  }
}
