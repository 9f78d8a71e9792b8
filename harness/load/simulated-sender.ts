import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { InferenceRequest } from '../../sandbox/nodes/program.ts'
import type { Route } from '../../sandbox/tiers/tier.ts'
import type { Timer } from '../../sandbox/world/clock.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { World } from '../../sandbox/world/world.ts'
import { type Planned, schedule, type Workload } from './workload.ts'

export interface SenderOptions {
  readonly world: World
  readonly route: Route
  readonly workload: Workload
  /** The model name clients send. */
  readonly model: string
  /** The workload's key, for the journal. */
  readonly target: string
}

export interface Load {
  /** Requests sent so far. */
  sent(): number
  /** Requests not answered yet. */
  open(): number
  endSending(): void
  /** Ends sending, and records what is open as unfinished. */
  giveUp(): void
}

/**
 * Sends a workload's requests over a route from now on and journals how each ended. Latencies count from the intended send time.
 * Ends when told to.
 */
export function startLoad(options: SenderOptions): Load {
  const { world, workload } = options
  const { clock } = world
  const plan = schedule(workload, clock.now, world.random(`load/${options.target}`))
  const open = new Map<number, () => void>()
  let count = 0
  let timer: Timer | undefined
  const next = () => {
    const planned = plan.next().value
    timer = clock.at(planned.at, () => {
      const id = count++
      open.set(
        id,
        send(options, `r${id}`, planned, () => open.delete(id)),
      )
      next()
    })
  }
  next()
  return {
    sent: () => count,
    open: () => open.size,
    endSending: () => timer?.cancel(),
    giveUp() {
      timer?.cancel()
      for (const giveUp of [...open.values()]) giveUp()
      open.clear()
    },
  }
}

/** Sends one request. Returns how to give it up as unfinished. */
function send(options: SenderOptions, id: string, planned: Planned, ended: () => void): () => void {
  const { world, route, workload, model, target } = options
  const { clock, journal } = world
  let pod: string | undefined
  let firstAt: Us | undefined
  let over = false
  const finish = (outcome: RequestRecord['outcome'], outputTokens: number, status?: number) => {
    if (over) return
    over = true
    timeout.cancel()
    ended()
    journal.append({
      type: 'request',
      id,
      target,
      pod,
      outcome,
      status,
      intendedAt: planned.at,
      ttftUs: firstAt === undefined ? undefined : firstAt - planned.at,
      e2eUs: outcome === 'ok' || outcome === 'truncated' ? clock.now - planned.at : undefined,
      promptTokens: planned.promptTokens,
      outputTokens,
    })
  }
  const timeout = clock.at(planned.at + workload.timeoutUs, () => {
    hangUp?.()
    finish('timeout', 0)
  })
  const { promptTokens, outputTokens } = planned
  const request: InferenceRequest = { id, model, promptTokens, outputTokens, stream: true }
  const hangUp: (() => void) | undefined = route.send(request, {
    routed: (to) => {
      pod = to
    },
    firstToken: (at) => {
      firstAt = at
    },
    finished: ({ reason, outputTokens: tokens }) => finish(reason === 'abort' ? 'truncated' : 'ok', tokens),
    failed: ({ kind, status }) => finish(kind, 0, status),
  })
  return () => {
    hangUp?.()
    finish('unfinished', 0)
  }
}
