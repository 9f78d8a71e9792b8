import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { InferenceObserver, InferenceRequest } from '../../sandbox/nodes/program.ts'
import type { Route } from '../../sandbox/tiers/tier.ts'
import type { Timer } from '../../sandbox/world/clock.ts'
import type { RandomStream } from '../../sandbox/world/random.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { World } from '../../sandbox/world/world.ts'
import { prefixHashes } from './prefix.ts'
import { retryDelay } from './retry.ts'
import { type Planned, schedule } from './schedule.ts'
import type { Workload } from './workload.ts'

export interface SenderOptions {
  readonly world: World
  readonly route: Route
  readonly workload: Workload
  /** The model name clients send. */
  readonly model: string
  /** The workload's key, for the journal. */
  readonly target: string
  /** Tokens of the server's cache blocks: what prompts have in common is told in these. */
  readonly blockTokens: number
}

/** A request that has been sent and not answered to its end. */
export interface OpenRequest {
  /** As in the journal. */
  readonly id: string
  /** The pod it was sent to last; undefined while it has met none. */
  readonly pod: string | undefined
  readonly intendedAt: Us
  readonly tenant: string | undefined
  readonly firstTokenAt: Us | undefined
  /** Tokens its answer is going to have. */
  readonly outputTokens: number
}

export interface Load {
  /** Requests sent so far. */
  sent(): number
  /** Requests not answered yet. */
  open(): number
  /** They, in the order they were sent. */
  openRequests(): Iterable<OpenRequest>
  endSending(): void
  /** Ends sending, and records what is open as unfinished. */
  giveUp(): void
}

/**
 * Sends a workload's requests over a route from now on and journals how each ended. Latencies count from the intended send time, over
 * all attempts. Ends when told to.
 */
export function startLoad(options: SenderOptions): Load {
  const { world, workload, target } = options
  const { clock } = world
  const plan = schedule(workload, clock.now, (stream) => world.random(`load/${target}/${stream}`))
  const retries = world.random(`load/${target}/retries`)
  const open = new Map<number, Sending>()
  let count = 0
  let timer: Timer | undefined
  const next = () => {
    const planned = plan.next().value
    if (!planned) return
    timer = clock.at(planned.at, () => {
      const id = count++
      const sending = new Sending(options, `r${id}`, planned, retries, () => open.delete(id))
      open.set(id, sending)
      sending.attempt()
      next()
    })
  }
  next()
  return {
    sent: () => count,
    open: () => open.size,
    openRequests: () => open.values(),
    endSending: () => timer?.cancel(),
    giveUp() {
      timer?.cancel()
      for (const sending of [...open.values()]) sending.giveUp()
      open.clear()
    },
  }
}

/** One request of a client, with all its attempts. */
class Sending implements OpenRequest {
  readonly id: string
  pod: string | undefined
  firstTokenAt: Us | undefined
  private readonly options: SenderOptions
  private readonly planned: Planned
  private readonly retries: RandomStream
  private readonly ended: () => void
  private readonly timeout: Timer
  private attempts = 0
  private endedBy: string | undefined
  private over = false
  /** Ends the attempt under way, or the wait for the next. */
  private stop: (() => void) | undefined

  constructor(options: SenderOptions, id: string, planned: Planned, retries: RandomStream, ended: () => void) {
    this.options = options
    this.id = id
    this.planned = planned
    this.retries = retries
    this.ended = ended
    this.timeout = options.world.clock.at(planned.at + planned.timeoutUs, () => {
      this.stop?.()
      this.end('timeout', 0)
    })
  }

  get intendedAt(): Us {
    return this.planned.at
  }

  get tenant(): string | undefined {
    return this.planned.tenant
  }

  get outputTokens(): number {
    return this.planned.outputTokens
  }

  attempt(): void {
    const number = ++this.attempts
    // what an attempt that is over still says is not heard
    const heard = () => !this.over && number === this.attempts
    const stop = this.options.route.send(this.request(), {
      routed: (pod) => {
        if (heard()) this.pod = pod
      },
      firstToken: (at) => {
        if (heard()) this.firstTokenAt = at
      },
      finished: ({ reason, outputTokens }) => {
        if (heard()) this.end(reason === 'abort' ? 'truncated' : 'ok', outputTokens)
      },
      failed: (failure) => {
        if (heard()) this.failed(failure)
      },
    })
    if (heard() && !this.stop) this.stop = stop
  }

  giveUp(): void {
    this.stop?.()
    this.end('unfinished', 0)
  }

  private failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    // what has begun to come cannot be asked for again without the client seeing it twice
    const { retry } = this.options.workload
    const delay = this.firstTokenAt === undefined ? retryDelay(retry, this.attempts, failure, this.retries) : undefined
    if (delay === undefined) {
      this.endedBy = failure.by
      this.end(failure.kind, 0, failure.status)
      return
    }
    const timer = this.options.world.clock.after(delay, () => {
      this.stop = undefined
      this.attempt()
    })
    this.stop = () => timer.cancel()
  }

  private end(outcome: RequestRecord['outcome'], outputTokens: number, status?: number): void {
    if (this.over) return
    this.over = true
    this.timeout.cancel()
    this.ended()
    const { clock, journal } = this.options.world
    const { at, promptTokens, tenant } = this.planned
    journal.append({
      type: 'request',
      id: this.id,
      target: this.options.target,
      pod: this.pod,
      outcome,
      status,
      intendedAt: at,
      ttftUs: this.firstTokenAt === undefined ? undefined : this.firstTokenAt - at,
      e2eUs: outcome === 'ok' || outcome === 'truncated' ? clock.now - at : undefined,
      promptTokens,
      outputTokens,
      ...(tenant === undefined ? {} : { tenant }),
      ...(this.attempts > 1 ? { attempts: this.attempts } : {}),
      ...(this.endedBy === undefined ? {} : { endedBy: this.endedBy }),
    })
  }

  private request(): InferenceRequest {
    const { model, blockTokens } = this.options
    const { promptTokens, outputTokens, prefix, priority } = this.planned
    return {
      id: this.id,
      model,
      promptTokens,
      outputTokens,
      stream: true,
      ...(prefix ? { prefixHashes: prefixHashes(prefix, promptTokens, blockTokens) } : {}),
      ...(priority === undefined ? {} : { priority }),
    }
  }
}
