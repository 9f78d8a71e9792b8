import type { RandomStream } from '../../sandbox/world/random.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { gaps } from './arrival.ts'
import { lengthSampler } from './lengths.ts'
import { idOf, type Prefix } from './prefix.ts'
import { constantRate, product, type RateFunction, Rescaling, shapeOf } from './rate.ts'
import { Conversations } from './sessions.ts'
import { replay } from './trace-replay.ts'
import { type Traffic, trafficOf, type Workload } from './workload.ts'

/** One request of a schedule; `at` is when it is meant to be sent. */
export interface Planned {
  readonly at: Us
  readonly promptTokens: number
  readonly outputTokens: number
  readonly timeoutUs: Us
  readonly tenant: string | undefined
  readonly prefix: Prefix | undefined
  readonly priority: number | undefined
}

/** Streams of chance by name: each tenant has its own, so that adding one does not disturb the others. */
export type Streams = (name: string) => RandomStream

/**
 * The requests from `from` on in the order of time; without end but where a trace or the rate ends. The same streams give the same schedule.
 * Throws a PlatformError where a trace cannot be read.
 */
export function schedule(workload: Workload, from: Us, streams: Streams): Generator<Planned, void> {
  const sources = trafficOf(workload).map(({ name, traffic }) => {
    const prefix = name === undefined ? '' : `${name}/`
    return requestsOf(traffic, name, from, (stream) => streams(`${prefix}${stream}`))
  })
  return sources.length === 1 ? sources[0]! : merged(sources)
}

/** How often requests come, over time from the load's start. */
export const rateOf = ({ requestsPerSecond, shapes = [] }: Traffic): RateFunction =>
  shapes.reduce((rate, shape) => product(rate, shapeOf(shape)), constantRate(requestsPerSecond))

/** In the order of time; of requests at the same time the earlier source's first. */
function* merged(sources: readonly Generator<Planned, void>[]): Generator<Planned, void> {
  const heads = sources.map((source) => source.next().value ?? undefined)
  for (;;) {
    let first = -1
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]
      if (head && (first < 0 || head.at < heads[first]!.at)) first = i
    }
    if (first < 0) return
    yield heads[first]!
    heads[first] = sources[first]!.next().value ?? undefined
  }
}

function* requestsOf(
  traffic: Traffic,
  tenant: string | undefined,
  from: Us,
  streams: Streams,
): Generator<Planned, void> {
  if (!(traffic.requestsPerSecond > 0)) return
  const { timeoutUs, priority, trace, sharedTokens, sessions } = traffic
  if (trace) {
    const speed = traffic.requestsPerSecond / trace.requestsPerSecond
    const rescaling = new Rescaling(rateOf({ ...traffic, requestsPerSecond: speed }))
    for (const { at, promptTokens, outputTokens, prefix } of replay(trace)) {
      const time = rescaling.timeAt(at / 1e6)
      if (!Number.isFinite(time)) return
      yield { at: Math.round(from + time), promptTokens, outputTokens, timeoutUs, tenant, prefix, priority }
    }
    return
  }
  const rescaling = new Rescaling(rateOf(traffic))
  const gap = gaps(traffic.arrival, traffic.cv ?? 1, streams('arrivals'))
  const lengths = streams('lengths')
  const prompt = lengthSampler(traffic.promptTokens, lengths)
  const output = lengthSampler(traffic.outputTokens, lengths)
  const room = traffic.contextTokens ?? Number.POSITIVE_INFINITY
  const id = idOf(`system prompt of ${tenant ?? 'all'}`)
  const conversations = sessions && new Conversations(sessions, sharedTokens ?? 0, id, streams('sessions'))
  const shared: Prefix | undefined = sharedTokens
    ? { kind: 'shared', id, tokens: sharedTokens, session: undefined }
    : undefined
  for (let value = gap(); ; value += gap()) {
    const time = rescaling.timeAt(value)
    if (!Number.isFinite(time)) return
    const at = Math.round(from + time)
    const outputTokens = Math.min(output(), room - 1)
    // prompts come with their system prompt and at least one token of their own
    const drawn = Math.min(Math.max(prompt(), (sharedTokens ?? 0) + 1), room - outputTokens)
    if (conversations) {
      const { promptTokens, prefix } = conversations.next(at, drawn, outputTokens)
      yield { at, promptTokens, outputTokens, timeoutUs, tenant, prefix, priority }
    } else yield { at, promptTokens: drawn, outputTokens, timeoutUs, tenant, prefix: shared, priority }
  }
}
