import { type RandomStream, randomStream } from '../../../sandbox/world/random.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'
import { WallClock } from '../../../sandbox/world/wall-clock.ts'
import { Deadlines } from '../deadlines.ts'
import { AgentTransport, usesProxy } from './agent-transport.ts'
import { Connections } from './connections.ts'
import type { PreparedRequest, SendingLoad, SendOptions } from './sender.ts'
import { Sending, type SendingContext } from './sending.ts'
import type { Transport } from './transport.ts'

/** From the call to the load's start: what the start itself costs is over by then. */
const LEAD: Us = seconds(0.1)

/**
 * Sends real requests by a schedule, from now on, and records how each ended. Open loop: each leaves at its time whatever has become of
 * those before, and its latencies count from then.
 */
export function sendOverHttp(options: SendOptions): SendingLoad {
  return new HttpLoad(options)
}

class HttpLoad implements SendingLoad, SendingContext {
  readonly done: Promise<void>
  readonly clock: WallClock
  readonly transport: Transport
  readonly retries: RandomStream
  readonly options: SendOptions
  readonly startedAt: Us
  private readonly requests: Iterator<PreparedRequest>
  private readonly waiting = new Map<Us, Deadlines<Sending>>()
  private readonly under = new Set<Sending>()
  private next: PreparedRequest | undefined
  private count = 0
  private stopped = false
  private over: () => void = () => {}
  private failed: (error: unknown) => void = () => {}

  constructor(options: SendOptions) {
    this.options = options
    this.done = new Promise((resolve, reject) => {
      this.over = resolve
      this.failed = reject
    })
    this.clock = WallClock.fromNow({ onError: (error) => this.fail(error) })
    this.transport = transportFor(options, this.clock)
    this.retries = randomStream(options.seed, `load/${options.server}/retries`)
    this.requests = options.requests[Symbol.iterator]()
    this.startedAt = this.clock.now + LEAD
    this.clock.after(0, () => this.prepare())
  }

  now(): Us {
    return this.clock.now - this.startedAt
  }

  sent(): number {
    return this.count
  }

  open(): number {
    return this.under.size
  }

  stop(): void {
    if (this.stopped) return
    this.next = undefined
    for (const sending of [...this.under]) sending.giveUp()
    this.finish()
  }

  ended(sending: Sending, record: Parameters<SendOptions['ended']>[0]): void {
    this.under.delete(sending)
    this.options.ended(record)
    if (this.under.size === 0 && !this.next) this.finish()
  }

  /** Makes the next request while there is time, and waits for its moment. */
  private prepare(): void {
    if (this.stopped) return
    this.next = this.requests.next().value ?? undefined
    if (this.next) this.clock.at(this.startedAt + this.next.planned.at, () => this.send())
    else if (this.under.size === 0) this.finish()
  }

  private send(): void {
    const { next } = this
    if (!next || this.stopped) return
    const sending = new Sending(this, next, this.deadlinesOf(next.planned.timeoutUs))
    this.count++
    this.under.add(sending)
    sending.begin()
    this.prepare()
  }

  private deadlinesOf(timeoutUs: Us): Deadlines<Sending> {
    let deadlines = this.waiting.get(timeoutUs)
    if (!deadlines) {
      deadlines = new Deadlines(this.clock)
      this.waiting.set(timeoutUs, deadlines)
    }
    return deadlines
  }

  private fail(error: unknown): void {
    this.finish()
    this.failed(error)
  }

  private finish(): void {
    if (this.stopped) return
    this.stopped = true
    this.clock.stop()
    this.transport.close()
    this.over()
  }
}

function transportFor({ target, maxOpen, keepAlive }: SendOptions, clock: WallClock): Transport {
  if (target.url.protocol === 'https:' || usesProxy()) return new AgentTransport(target, { maxOpen, keepAlive })
  return new Connections({ clock, target, maxOpen, keepAlive })
}
