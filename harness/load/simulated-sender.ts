import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { InferenceObserver, InferenceRequest } from '../../sandbox/nodes/program.ts'
import type { Route } from '../../sandbox/tiers/tier.ts'
import type { Timer } from '../../sandbox/world/clock.ts'
import type { RandomStream } from '../../sandbox/world/random.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { World } from '../../sandbox/world/world.ts'
import { type Bounded, Deadlines } from './deadlines.ts'
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
  /** By how long a client waits. */
  const waiting = new Map<Us, Deadlines<Sending>>()
  const open = () => {
    const lists = [...waiting.values()].map((deadlines) => deadlines.open.toArray())
    return lists.length === 1 ? lists[0]! : lists.flat().sort((a, b) => a.number - b.number)
  }
  let count = 0
  let timer: Timer | undefined
  let planned: Planned | undefined
  const send = () => {
    const { timeoutUs } = planned!
    let deadlines = waiting.get(timeoutUs)
    if (!deadlines) {
      deadlines = new Deadlines(clock)
      waiting.set(timeoutUs, deadlines)
    }
    const sending = new Sending(options, { number: count++, planned: planned!, retries, deadlines })
    deadlines.add(sending)
    sending.attempt()
    next()
  }
  const next = () => {
    planned = plan.next().value ?? undefined
    if (planned) timer = clock.at(planned.at, send)
  }
  next()
  return {
    sent: () => count,
    open: () => [...waiting.values()].reduce((sum, deadlines) => sum + deadlines.open.size, 0),
    openRequests: open,
    endSending: () => timer?.cancel(),
    giveUp() {
      timer?.cancel()
      for (const sending of open()) sending.giveUp()
    },
  }
}

interface SendingOptions {
  /** How many were sent before. */
  readonly number: number
  readonly planned: Planned
  readonly retries: RandomStream
  readonly deadlines: Deadlines<Sending>
}

/** One request of a client, with all its attempts. */
class Sending implements OpenRequest, Bounded<Sending> {
  readonly id: string
  readonly number: number
  before: Sending | undefined
  after: Sending | undefined
  pod: string | undefined
  firstTokenAt: Us | undefined
  private readonly options: SenderOptions
  private readonly planned: Planned
  private readonly retries: RandomStream
  private readonly deadlines: Deadlines<Sending>
  private attempts = 0
  private endedBy: string | undefined
  private over = false
  /** Ends the attempt under way, or the wait for the next. */
  private stop: (() => void) | undefined

  constructor(options: SenderOptions, { number, planned, retries, deadlines }: SendingOptions) {
    this.options = options
    this.id = `r${number}`
    this.number = number
    this.planned = planned
    this.retries = retries
    this.deadlines = deadlines
  }

  get intendedAt(): Us {
    return this.planned.at
  }

  get deadline(): Us {
    return this.planned.at + this.planned.timeoutUs
  }

  get tenant(): string | undefined {
    return this.planned.tenant
  }

  get outputTokens(): number {
    return this.planned.outputTokens
  }

  attempt(): void {
    const attempt = ++this.attempts
    const stop = this.options.route.send(this.request(), new Attempt(this, attempt))
    if (this.hears(attempt) && !this.stop) this.stop = stop
  }

  /** What an attempt that is over still says is not heard. */
  hears(attempt: number): boolean {
    return !this.over && attempt === this.attempts
  }

  giveUp(): void {
    this.stop?.()
    this.end('unfinished', 0)
  }

  timedOut(): void {
    this.stop?.()
    this.end('timeout', 0)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
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

  end(outcome: RequestRecord['outcome'], outputTokens: number, status?: number): void {
    if (this.over) return
    this.over = true
    this.deadlines.remove(this)
    const { clock, journal } = this.options.world
    const { at, promptTokens, tenant } = this.planned
    // with its time from the beginning: an object that grows later costs another
    const record: RequestRecord = {
      at: clock.now,
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
      tenant,
      attempts: this.attempts > 1 ? this.attempts : undefined,
      endedBy: this.endedBy,
    }
    journal.append(record)
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
      prefixHashes: prefix && prefixHashes(prefix, promptTokens, blockTokens),
      priority,
    }
  }
}

/** What the route says of one attempt, as long as the client hears it. */
class Attempt implements InferenceObserver {
  private readonly sending: Sending
  private readonly number: number

  constructor(sending: Sending, number: number) {
    this.sending = sending
    this.number = number
  }

  routed(pod: string): void {
    if (this.sending.hears(this.number)) this.sending.pod = pod
  }

  firstToken(at: Us): void {
    if (this.sending.hears(this.number)) this.sending.firstTokenAt = at
  }

  finished({ reason, outputTokens }: Parameters<InferenceObserver['finished']>[0]): void {
    if (this.sending.hears(this.number)) this.sending.end(reason === 'abort' ? 'truncated' : 'ok', outputTokens)
  }

  failed(failure: Parameters<InferenceObserver['failed']>[0]): void {
    if (this.sending.hears(this.number)) this.sending.failed(failure)
  }
}
