import type { Us } from '../../sandbox/world/time.ts'
import type { ArrivalKind } from './arrival.ts'
import type { LengthDistribution } from './lengths.ts'
import type { RateShape } from './rate.ts'
import type { RetryPolicy } from './retry.ts'

/** What one kind of client asks for, and how often. Open loop: arrivals do not wait for answers. JSON. */
export interface Traffic {
  readonly arrival: ArrivalKind
  /** Coefficient of variation of the gaps of gamma and Weibull arrivals; 1 when not given. */
  readonly cv?: number
  readonly requestsPerSecond: number
  /** Multiples of the rate over time, all of them multiplied; 0 is the load's start. */
  readonly shapes?: readonly RateShape[]
  /** Of a whole prompt; in a session of a first prompt, and what each later turn adds. */
  readonly promptTokens: LengthDistribution
  readonly outputTokens: LengthDistribution
  /** Prompt and answer together are never longer: set where lengths are a guess, which is no reason to ask for what the server refuses. */
  readonly contextTokens?: number
  /** Leading tokens that all its prompts have in common: a system prompt. */
  readonly sharedTokens?: number
  readonly sessions?: Sessions
  /** vLLM's priority: lower is served first, where the server schedules by it. */
  readonly priority?: number
  /** A client hangs up when it has waited this long for the whole answer. */
  readonly timeoutUs: Us
  /** Requests as they were recorded, in place of arrivals and lengths. */
  readonly trace?: TraceUse
}

/** Conversations: a later prompt repeats the earlier ones and their answers. */
export interface Sessions {
  /** Mean number of turns; how many a session has is geometric. */
  readonly turns: number
  /** From a turn to the earliest next one. */
  readonly thinkUs: Us
  /** A session ends before its prompt is longer than this. */
  readonly maxPromptTokens: number
}

/** A recorded trace and how it is replayed. */
export interface TraceUse {
  /** As the file system finds it. Not part of a trial's inputs: `digest` is. */
  readonly file: string
  readonly digest: string
  readonly format: 'azure-csv' | 'mooncake-jsonl'
  /** Its own mean rate between `fromUs` and `untilUs`: replayed at `requestsPerSecond`, it is so much faster or slower. */
  readonly requestsPerSecond: number
  /** The part that is replayed, from the first request on. */
  readonly fromUs: Us
  readonly untilUs: Us
  /** Begins again at its end. */
  readonly loop: boolean
}

/** One of several kinds of clients. What it does not say is as the workload's. */
export interface Tenant extends Partial<Traffic> {
  readonly name: string
  /** Of the workload's rate; without it the tenant has its own `requestsPerSecond`. */
  readonly share?: number
}

/** All that clients ask of one server. Where there are tenants the workload's own traffic is only what they have in common. */
export interface Workload extends Traffic {
  readonly tenants?: readonly Tenant[]
  readonly retry?: RetryPolicy
}

/** The kinds of clients of a workload, each whole; one without a name where it has no tenants. */
export function trafficOf(
  workload: Workload,
): readonly { readonly name: string | undefined; readonly traffic: Traffic }[] {
  const { tenants, retry: _, ...common } = workload
  if (!tenants) return [{ name: undefined, traffic: common }]
  return tenants.map(({ name, share, ...own }) => ({
    name,
    traffic: {
      ...common,
      ...own,
      requestsPerSecond: own.requestsPerSecond ?? (share ?? 0) * common.requestsPerSecond,
      shapes: [...(common.shapes ?? []), ...(own.shapes ?? [])],
    },
  }))
}

/** Requests a second of all its tenants, where its shapes are 1×. */
export const totalRate = (workload: Workload): number =>
  trafficOf(workload).reduce((sum, { traffic }) => sum + traffic.requestsPerSecond, 0)
