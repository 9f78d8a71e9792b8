import type { Clock } from '../../../sandbox/world/clock.ts'
import type { RandomStream } from '../../../sandbox/world/random.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'
import type { Bounded, Deadlines } from '../deadlines.ts'
import { retryDelay } from '../retry.ts'
import { Answer, errorText } from './answer.ts'
import { endOf, OUTCOMES } from './ended.ts'
import type { Ended, LoadRecord, PreparedRequest, SendOptions } from './sender.ts'
import { SseReader } from './sse.ts'
import type { Exchange, Transport, TransportFailure } from './transport.ts'

/** Where a request under way belongs. */
export interface SendingContext {
  readonly clock: Clock
  readonly transport: Transport
  readonly retries: RandomStream
  readonly options: SendOptions
  /** The load's start on the clock. */
  readonly startedAt: Us
  ended(sending: Sending, record: LoadRecord): void
}

/** One request of a client, with all its attempts. */
export class Sending implements Bounded<Sending> {
  before: Sending | undefined
  after: Sending | undefined
  readonly deadline: Us
  private readonly context: SendingContext
  private readonly request: PreparedRequest
  private readonly deadlines: Deadlines<Sending>
  private attempts = 0
  private sentAt: Us | undefined
  private over = false
  private attempt: Attempt | undefined
  private hangUp: (() => void) | undefined

  constructor(context: SendingContext, request: PreparedRequest, deadlines: Deadlines<Sending>) {
    this.context = context
    this.request = request
    this.deadlines = deadlines
    this.deadline = context.startedAt + request.planned.at + request.planned.timeoutUs
  }

  begin(): void {
    this.deadlines.add(this)
    this.tryNow()
  }

  timedOut(): void {
    this.endUnanswered('timeout')
  }

  giveUp(): void {
    this.endUnanswered('unfinished')
  }

  /** An attempt leaves. */
  left(): void {
    this.sentAt ??= this.context.clock.now
  }

  hears(attempt: Attempt): boolean {
    return !this.over && attempt === this.attempt
  }

  /** An attempt came to nothing: another one, or the end. What has begun to come is not asked for again. */
  failed(failure: { kind: 'refused' | 'reset' | 'http'; status?: number; retryAfterUs?: Us }, why: string): void {
    const { clock, options, retries } = this.context
    const begun = this.attempt!.answer.firstTextAt !== undefined
    const delay = begun ? undefined : retryDelay(options.retry, this.attempts, failure, retries)
    if (delay === undefined) {
      this.end(failure.kind, { status: failure.status, why })
      return
    }
    const timer = clock.after(delay, () => this.tryNow())
    this.hangUp = () => timer.cancel()
  }

  end(ended: Ended, { status, why }: { status?: number | undefined; why?: string | undefined } = {}): void {
    if (this.over) return
    this.over = true
    this.deadlines.remove(this)
    const { clock, startedAt, options } = this.context
    const { number, planned } = this.request
    const answer = this.attempt!.answer
    const intended = startedAt + planned.at
    const record: LoadRecord = {
      at: clock.now - startedAt,
      type: 'request',
      id: `r${number}`,
      target: options.server,
      outcome: OUTCOMES[ended],
      ended,
      status,
      intendedAt: planned.at,
      sentAt: this.sentAt === undefined ? undefined : this.sentAt - startedAt,
      ttftUs: answer.firstTextAt === undefined ? undefined : answer.firstTextAt - intended,
      e2eUs: ended === 'ok' || OUTCOMES[ended] === 'truncated' ? clock.now - intended : undefined,
      promptTokens: planned.promptTokens,
      gotPromptTokens: answer.usage?.prompt_tokens,
      cachedTokens: answer.usage?.prompt_tokens_details?.cached_tokens ?? undefined,
      askedTokens: planned.outputTokens,
      outputTokens: answer.outputTokens,
      itlUs: answer.itlUs,
      tenant: planned.tenant,
      attempts: this.attempts > 1 ? this.attempts : undefined,
      why,
    }
    this.context.ended(this, record)
  }

  private tryNow(): void {
    this.attempts++
    const attempt = new Attempt(this, this.context)
    this.attempt = attempt
    const hangUp = this.context.transport.send(this.request.body, attempt)
    if (this.hears(attempt)) this.hangUp = hangUp
  }

  private endUnanswered(ended: 'timeout' | 'unfinished'): void {
    this.hangUp?.()
    this.end(ended)
  }
}

/** What comes back of one attempt, as long as the client hears it. */
class Attempt implements Exchange {
  readonly answer = new Answer()
  private readonly sending: Sending
  private readonly context: SendingContext
  private status = 0
  private retryAfterUs: Us | undefined
  private streamed = false
  private text = ''
  private readonly events = new SseReader((data) => this.event(data))

  constructor(sending: Sending, context: SendingContext) {
    this.sending = sending
    this.context = context
  }

  sent(): void {
    this.sending.left()
  }

  head(status: number, headers: ReadonlyMap<string, string>): void {
    this.status = status
    this.streamed = status === 200 && (headers.get('content-type') ?? '').startsWith('text/event-stream')
    const after = Number(headers.get('retry-after'))
    if (after > 0) this.retryAfterUs = seconds(after)
  }

  body(text: string): void {
    if (this.streamed) this.events.push(text)
    else if (this.text.length < WHOLE_MAX) this.text += text
  }

  end(): void {
    if (!this.sending.hears(this)) return
    const { status, retryAfterUs } = this
    if (status !== 200) {
      const failure = { kind: 'http', status, ...(retryAfterUs === undefined ? {} : { retryAfterUs }) } as const
      this.sending.failed(failure, errorText(this.text))
      return
    }
    if (!this.streamed) {
      // a server that does not stream: all of it comes at once
      this.answer.event(this.text, this.context.clock.now)
      this.answer.done = true
    }
    this.conclude()
  }

  failed({ kind, message }: TransportFailure): void {
    if (!this.sending.hears(this)) return
    if (this.answer.error !== undefined) {
      this.conclude()
      return
    }
    if (kind === 'local') {
      this.sending.end('refused', { why: `${LOCAL_MARK}${message}` })
      return
    }
    this.sending.failed({ kind }, message)
  }

  private event(data: string): void {
    if (!this.sending.hears(this)) return
    this.answer.event(data, this.context.clock.now)
    // the answer is whole with its mark; that the response ends is the connection's affair
    if (this.answer.done) this.conclude()
  }

  private conclude(): void {
    const ended = endOf(this.answer)
    this.sending.end(ended, ended === 'ok' ? {} : { status: this.status, why: this.answer.error })
  }
}

/** Failures of this machine begin so: they say nothing about the server. */
export const LOCAL_MARK = 'this machine: '

/** More of an error, or of an answer that is not streamed, is not read. */
const WHOLE_MAX = 1 << 24
