import type { InferenceObserver, InferenceRequest } from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import type { ProxyEndpoint } from '../service-rules.ts'
import { type Ending, failureOf } from './answers.ts'
import { addressOf, type Balancer } from './balancer.ts'
import type { ClientObserver, DataPlane } from './data-plane.ts'
import { NO_ROUTE_AFTER } from './endpoint-view.ts'
import type { HttpRequest } from './http-request.ts'
import { drawBackend, type ProxyRule, type ServiceTarget } from './rule.ts'

export interface ExchangeOptions {
  readonly head: HttpRequest
  readonly request: InferenceRequest
  readonly observer: ClientObserver
  readonly rule: ProxyRule | undefined
}

/** Paths under which an OpenAI-compatible server generates. */
const GENERATING = /^\/(v1\/(chat\/completions|completions|responses|messages)|invocations)$/

/** Of a prompt's token, with its share of JSON. */
const BYTES_PER_TOKEN = 4

/** One request through a proxy: tries, timeouts, and how it ends for the client. */
export class Exchange {
  private readonly plane: DataPlane
  private readonly options: ExchangeOptions
  private readonly startedAt: Us
  private readonly tried = new Set<string>()
  private readonly timers = new Set<Timer>()
  private over = false
  private retries = 0
  /** When the last byte of the answer came, as far as it began. */
  private lastSentAt: (() => Us) | undefined
  /** When the try under way began. */
  private tryAt: Us = 0
  private endTry: (() => void) | undefined

  constructor(plane: DataPlane, options: ExchangeOptions) {
    this.plane = plane
    this.options = options
    this.startedAt = plane.options.world.clock.now
  }

  start(): void {
    const { rule } = this.options
    const destination = rule ? this.destination(rule) : ({ why: 'no-route' } as const)
    if (!rule || 'why' in destination) {
      this.end(destination as Ending)
      return
    }
    const { requestUs, idleUs } = rule.timeouts
    if (requestUs > 0) this.after(requestUs, () => this.end({ why: 'request-timeout', afterUs: requestUs }))
    // a request that may not take as long cannot be idle for as long
    if (idleUs > 0 && (requestUs === 0 || idleUs < requestUs)) this.watchIdle(idleUs, rule, destination)
    this.attempt(rule, destination)
  }

  hangUp(): void {
    this.close()
  }

  /** The Service a rule sends the request to, or why to none. */
  private destination(rule: ProxyRule): ServiceTarget | Ending {
    const { head, request } = this.options
    if (rule.bodyBytesMax > 0 && request.promptTokens * BYTES_PER_TOKEN > rule.bodyBytesMax)
      return { why: 'body-too-large' }
    const random = () => this.plane.random.next()
    const forwarded = rule.rewrite?.(head) ?? head
    const backend = rule.choose?.(forwarded, random) ?? drawBackend(rule.backends, random)
    if (!backend) return { why: 'no-backend' }
    if (!backend.service) return { why: 'invalid-backend', detail: backend.invalid ?? '' }
    const { path } = backend.rewrite?.(forwarded) ?? forwarded
    return GENERATING.test(path) ? backend.service : { why: 'wrong-path' }
  }

  private attempt(rule: ProxyRule, service: ServiceTarget): void {
    const balancer = this.plane.balancerOf(service, rule.balancing)
    const endpoint = balancer.pick(this.plane.options.endpoints.of(service), this.tried)
    if (endpoint) this.connect(endpoint, balancer, { rule, service })
    else this.end({ why: 'no-endpoints' })
  }

  private connect(
    endpoint: ProxyEndpoint,
    balancer: Balancer,
    { rule, service }: { rule: ProxyRule; service: ServiceTarget },
  ): void {
    const { network, admits } = this.plane.options
    this.tried.add(addressOf(endpoint))
    this.tryAt = this.now
    balancer.began(endpoint)
    let hangUp: (() => void) | undefined
    const timers: Timer[] = []
    let current = true
    this.endTry = () => {
      if (!current) return
      current = false
      this.endTry = undefined
      balancer.ended(endpoint)
      for (const timer of timers) this.drop(timer)
      hangUp?.()
    }
    const fail = (ending: Ending) => this.tryFailed(ending, rule, service)
    const { perTryUs, connectUs } = rule.timeouts
    const connection = network.connect(endpoint.ip, endpoint.port)
    const dropped = connection.kind !== 'unreachable' && admits?.(connection.endpoint.podKey, endpoint.port) === false
    if (dropped || connection.kind === 'unreachable') {
      const wait = dropped ? connectUs : Math.min(NO_ROUTE_AFTER, connectUs)
      const timedOut = wait === connectUs
      timers.push(
        this.after(wait, () => fail(timedOut ? { why: 'connect-timeout', afterUs: connectUs } : CONNECT_FAILURE)),
      )
      return
    }
    const { podKey, inference } = connection.endpoint
    this.options.observer.routed?.(podKey)
    if (connection.kind === 'refused') fail(CONNECT_FAILURE)
    else if (!inference) this.pass({ at: this.now, kind: 'http', status: 404, message: '404 page not found' })
    else {
      if (perTryUs > 0) timers.push(this.after(perTryUs, () => fail({ why: 'try-timeout', afterUs: perTryUs })))
      const stop = inference.submit(
        endpoint.port,
        this.options.request,
        this.upstream(rule, service, () => current),
      )
      if (current) hangUp = stop
    }
  }

  /** What the server says about the try that `isCurrent`. */
  private upstream(rule: ProxyRule, service: ServiceTarget, isCurrent: () => boolean): InferenceObserver {
    const { observer } = this.options
    return {
      headers: (at, lastSentAt) => {
        if (!isCurrent()) return
        this.lastSentAt = lastSentAt
        observer.headers?.(at, lastSentAt)
      },
      firstToken: (at) => {
        if (!isCurrent()) return
        this.lastSentAt ??= () => at
        observer.firstToken(at)
      },
      finished: (result) => {
        if (!isCurrent()) return
        this.close()
        observer.finished(result)
      },
      failed: (failure) => {
        if (!isCurrent()) return
        if (failure.kind !== 'http') this.tryFailed(failure.kind === 'refused' ? CONNECT_FAILURE : RESET, rule, service)
        else if (rule.retry?.codes.has(failure.status ?? 0) && this.mayRetry(rule)) this.retry(rule, service)
        else this.pass(failure)
      },
    }
  }

  private tryFailed(ending: Ending, rule: ProxyRule, service: ServiceTarget): void {
    const retried =
      ending.why === 'connect-failure' || ending.why === 'connect-timeout'
        ? rule.retry?.connectFailure
        : rule.retry?.reset
    if (retried && this.mayRetry(rule)) this.retry(rule, service)
    else this.end(ending)
  }

  private mayRetry({ retry }: ProxyRule): boolean {
    return (
      retry !== undefined &&
      this.lastSentAt === undefined &&
      this.retries < retry.retries &&
      (retry.withinUs === 0 || this.now - this.startedAt < retry.withinUs)
    )
  }

  private retry(rule: ProxyRule, service: ServiceTarget): void {
    this.endTry?.()
    const { baseUs, maxUs } = rule.retry!
    const most = Math.min(maxUs, baseUs * 2 ** this.retries)
    this.retries++
    this.after(most > 0 ? this.plane.random.int(most) : 0, () => this.attempt(rule, service))
  }

  /** One timer a period: whether anything came meanwhile is asked when it is over. */
  private watchIdle(idleUs: Us, rule: ProxyRule, service: ServiceTarget): void {
    const look = () => {
      const last = Math.max(this.tryAt, this.lastSentAt?.() ?? 0)
      const left = last + idleUs - this.now
      if (left > 0) {
        this.after(left, look)
        return
      }
      this.tryFailed({ why: 'idle-timeout', afterUs: idleUs }, rule, service)
      // another try: its time begins anew
      if (!this.over) this.after(idleUs, look)
    }
    this.after(idleUs, look)
  }

  /** The proxy ends it. */
  private end(ending: Ending): void {
    if (this.over) return
    const { behaviour } = this.plane.options
    const from = this.options.rule?.from ?? this.plane.options.name
    const failure = failureOf(ending, { behaviour, headSent: this.lastSentAt !== undefined, from })
    if (failure.by) this.plane.note(`${failure.by}${failure.status === undefined ? '' : ` (${failure.status})`}`)
    this.close()
    this.options.observer.failed({ at: this.now, ...failure })
  }

  /** The server's own answer goes on to the client. */
  private pass(failure: Parameters<InferenceObserver['failed']>[0]): void {
    this.close()
    this.options.observer.failed(failure)
  }

  private close(): void {
    this.over = true
    this.endTry?.()
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
  }

  private after(delay: Us, act: () => void): Timer {
    const timer = this.plane.options.world.clock.after(delay, () => {
      this.timers.delete(timer)
      if (!this.over) act()
    })
    this.timers.add(timer)
    return timer
  }

  private drop(timer: Timer): void {
    timer.cancel()
    this.timers.delete(timer)
  }

  private get now(): Us {
    return this.plane.options.world.clock.now
  }
}

const CONNECT_FAILURE: Ending = { why: 'connect-failure' }
const RESET: Ending = { why: 'upstream-reset' }
