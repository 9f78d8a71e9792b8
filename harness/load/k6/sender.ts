import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Us } from '../../../sandbox/world/time.ts'
import type { Slos } from '../../slo/objective.ts'
import { headersOf } from '../http/head.ts'
import type { LoadRecord, PreparedRequest, SendingLoad, SendOptions } from '../http/sender.ts'
import type { K6 } from './binary/find.ts'
import { K6Error } from './errors.ts'
import { endOf, endText } from './exit.ts'
import { inFolder } from './folder.ts'
import type { Told } from './measure.ts'
import { type K6Plan, k6Plan } from './plan.ts'
import { type Point, readPoint } from './points.ts'
import { type Ended, runProgram } from './program.ts'
import { failureText, unfinished } from './record.ts'

/** `retry` and `seed` mean nothing to k6, which sends each request once. */
export interface K6SendOptions extends SendOptions {
  readonly k6: K6
  /** k6's thresholds are made from these. */
  readonly slos: Slos
  /** Requests meant to be sent before are a warm-up, which thresholds do not judge. */
  readonly judgedFromUs?: Us
}

export interface K6Load extends SendingLoad {
  readonly virtualUsers: number
  /** Once `done`: whether k6 found its thresholds crossed, its exit code 99. */
  breached(): boolean
}

const SCRIPT = fileURLToPath(new URL('./schedule.js', import.meta.url))

/** Sends a schedule with k6. `done` fails with `K6Error` when k6 does not run to its end, or leaves requests out. Throws a RangeError without any. */
export function startK6(options: K6SendOptions): K6Load {
  const requests = [...options.requests]
  const plan = k6Plan({ ...options, requests })
  const sending = new Sending(requests, options)
  const stop = new AbortController()
  const ran = withFile(plan, (file) =>
    runProgram({
      k6: options.k6,
      args: ['--out', 'json=-', SCRIPT],
      // not in the file: they may hold a key
      env: { PLAN: file, HEADERS: JSON.stringify(headersOf(options.target)) },
      onLine: (line) => sending.hear(readPoint(line)),
      signal: stop.signal,
    }),
  )
  return {
    done: ran.then((ended) => sending.end(ended, stop.signal.aborted)),
    now: () => sending.now(),
    sent: () => sending.sentAt.size,
    open: () => sending.sentAt.size - sending.ended,
    stop: () => stop.abort(),
    virtualUsers: plan.virtualUsers,
    breached: () => sending.breached,
  }
}

/** What is known of a run of k6. */
class Sending {
  /** By the numbers of those that were sent. */
  readonly sentAt = new Map<number, Us>()
  ended = 0
  breached = false
  private readonly requests: readonly PreparedRequest[]
  private readonly options: K6SendOptions
  private readonly over = new Set<number>()
  private zeroMs: number | undefined

  constructor(requests: readonly PreparedRequest[], options: K6SendOptions) {
    this.requests = requests
    this.options = options
  }

  now(): Us {
    const ms = performance.timeOrigin + performance.now()
    return this.zeroMs === undefined ? 0 : Math.round((ms - this.zeroMs) * 1e3)
  }

  hear(point: Point | undefined): void {
    if (point?.kind === 'zero') this.zeroMs = point.ms
    else if (point?.kind === 'begun') this.sentAt.set(point.number, point.sentAt)
    else if (point) this.finish(point.told)
  }

  end({ code, said }: Ended, stopped: boolean): void {
    const end = endOf(code)
    this.breached = end === 'slo-breached'
    if (!stopped && end !== 'ended' && end !== 'slo-breached')
      throw new K6Error('K6_FAILED', endText(code, said), 'Send the load without k6, or report it with these lines.')
    if (!stopped && this.ended !== this.requests.length)
      throw new K6Error(
        'K6_FAILED',
        `k6 told of ${this.ended} of ${this.requests.length} requests${said ? `:\n${said}` : ''}`,
        'Send fewer at once, or send the load without k6.',
      )
    for (const [number, sentAt] of this.sentAt)
      if (!this.over.has(number))
        this.options.ended(this.recordOf(unfinished(this.plannedOf(number), sentAt, this.now())))
  }

  private finish(told: Told): void {
    this.over.add(told.number)
    this.ended++
    this.options.ended(this.recordOf(told))
  }

  private recordOf({ number, ...told }: Told): LoadRecord {
    const { planned } = this.plannedOf(number)
    return {
      ...told,
      type: 'request',
      id: `r${number}`,
      target: this.options.server,
      promptTokens: planned.promptTokens,
      askedTokens: planned.outputTokens,
      tenant: planned.tenant,
      why: failureText(told),
    }
  }

  private plannedOf(number: number): PreparedRequest {
    const request = this.requests[number]
    if (!request) throw new K6Error('K6_FAILED', `k6 told of request ${number}, which nobody planned`, 'Report it.')
    return request
  }
}

const withFile = <T>(plan: K6Plan, use: (file: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const file = join(folder, 'plan.json')
    await writeFile(file, JSON.stringify(plan), { mode: 0o600 })
    return await use(file)
  })
