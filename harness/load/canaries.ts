import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { Route } from '../../sandbox/tiers/tier.ts'
import { seconds, type Us } from '../../sandbox/world/time.ts'
import type { World } from '../../sandbox/world/world.ts'

export interface CanaryOptions {
  readonly world: World
  readonly route: Route
  /** The model name clients send. */
  readonly model: string
  /** The workload's key. */
  readonly target: string
  /** Distinguishes these from others of the trial. */
  readonly name: string
  readonly perSecond: number
  readonly forUs: Us
}

/** As what requests of canaries are journalled, so that they count nowhere else. */
export const canaryTarget = (target: string): string => `${target} (canaries)`

/**
 * Sends requests of one token in a dense row beside the load, from now on: they show gaps too short for the load to meet for sure. Each
 * is journalled with how it ended.
 */
export function sendCanaries(options: CanaryOptions): void {
  const { clock } = options.world
  const every = seconds(1 / options.perSecond)
  const count = Math.floor(options.forUs / every)
  const next = (i: number) => {
    if (i >= count) return
    sendOne(options, `${options.name}-${i}`)
    clock.after(every, () => next(i + 1))
  }
  next(0)
}

function sendOne({ world, route, model, target }: CanaryOptions, id: string): void {
  const { clock, journal } = world
  const intendedAt = clock.now
  let pod: string | undefined
  let ttftUs: Us | undefined
  const ended = (outcome: RequestRecord['outcome'], outputTokens: number, status?: number) =>
    journal.append({
      type: 'request',
      id,
      target: canaryTarget(target),
      pod,
      outcome,
      status,
      intendedAt,
      ttftUs,
      e2eUs: outcome === 'ok' || outcome === 'truncated' ? clock.now - intendedAt : undefined,
      promptTokens: 1,
      outputTokens,
    })
  route.send(
    { id, model, promptTokens: 1, outputTokens: 1, stream: true },
    {
      routed: (key) => {
        pod = key
      },
      firstToken: (at) => {
        ttftUs = at - intendedAt
      },
      finished: ({ reason, outputTokens }) => ended(reason === 'abort' ? 'truncated' : 'ok', outputTokens),
      failed: ({ kind, status }) => ended(kind, 0, status),
    },
  )
}
