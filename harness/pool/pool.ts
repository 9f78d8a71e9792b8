import type { Worker } from 'node:worker_threads'
import type { LagProfile } from '../../sandbox/kube/lag.ts'
import type { Platform } from '../platform/platform.ts'
import { runTrial } from '../trial.ts'
import type { Attempt } from '../verdict/attempt.ts'
import type { TrialResult } from '../verdict/verdict.ts'
import type { Opening, TrialReply, TrialRequest } from './messages.ts'
import { portable } from './portable.ts'
import type { Threads } from './threads.ts'
import { yielding } from './yielding.ts'

interface Job {
  startedAt: number
  /** Where its scenario and server stand among those asked for. */
  readonly rank: number
  readonly request: TrialRequest
  /** Runs it in this thread. */
  readonly here: () => Promise<TrialResult>
  readonly resolve: (result: TrialResult) => void
  readonly reject: (error: Error) => void
}

export interface PoolOptions {
  readonly platform: Platform
  readonly lag: LagProfile
  /** How many trials run at once: one of them in this thread. */
  readonly size: number
  /** Where the others run. Whoever made them ends them. */
  readonly threads: Threads
  /** Milliseconds, to tell how long trials took. */
  readonly now: () => number
}

/**
 * Simulated trials side by side, in this thread and in others. A trial's bytes do not depend on which thread runs it, nor on the others.
 * What is asked for one scenario and server comes before all that is asked for a later one.
 */
export class TrialPool implements Disposable {
  private readonly options: PoolOptions
  private readonly opening: Opening
  /** Each thread with the trial it runs, and perhaps one that it goes on with while this thread is busy. */
  private readonly workers = new Map<Worker, Job[]>()
  private readonly waiting: Job[] = []
  private readonly asked = new Map<string, Promise<TrialResult>>()
  private readonly ranks = new Map<string, number>()
  private readonly took = new Map<string, number>()
  private hereIsBusy = false
  private isDispatching = false
  private closed = false
  private nextId = 0

  constructor(options: PoolOptions) {
    this.options = options
    this.opening = { platform: portable(options.platform), lag: options.lag }
  }

  /** What was asked before is not run again. */
  readonly attempt: Attempt = (what, seed, overrides) => {
    const key = JSON.stringify([what.scenario, what.judgeable.key, seed, overrides])
    const result = this.asked.get(key) ?? this.ask(what, seed, overrides)
    this.asked.set(key, result)
    return result
  }

  private readonly ask: Attempt = ({ scenario, judgeable, tier }, seed, overrides) =>
    new Promise((resolve, reject) => {
      const request = { id: this.nextId++, scenario, subject: judgeable.key, seed, overrides }
      const here = () => runTrial({ scenario, setup: judgeable.prepare(overrides), tier: yielding(tier), seed })
      this.waiting.push({ startedAt: 0, rank: this.rankOf(request), request, here, resolve, reject })
      this.dispatchSoon()
    })

  /** Milliseconds that threads worked on a scenario's trials of one inference server. */
  tookMs(scenario: string, subject: string): number {
    return this.took.get(`${scenario} ${subject}`) ?? 0
  }

  /** No further trial is begun. */
  [Symbol.dispose](): void {
    this.closed = true
  }

  /** When all that follows from what was just said has been asked for. */
  private dispatchSoon(): void {
    if (this.isDispatching) return
    this.isDispatching = true
    setImmediate(() => this.dispatch())
  }

  private dispatch(): void {
    this.isDispatching = false
    while (this.waiting.length > 0 && !this.closed) {
      const worker = this.freeWorker()
      if (worker) this.runIn(worker, this.next())
      else if (!this.hereIsBusy) void this.runHere(this.next())
      else return
    }
  }

  private next(): Job {
    const first = this.waiting.reduce((best, job) => (job.rank < best.rank ? job : best))
    this.waiting.splice(this.waiting.indexOf(first), 1)
    return first
  }

  private async runHere(job: Job): Promise<void> {
    this.hereIsBusy = true
    job.startedAt = this.options.now()
    const ended = await job.here().then(
      (result) => () => job.resolve(result),
      (error: Error) => () => job.reject(error),
    )
    this.count(job)
    this.hereIsBusy = false
    ended()
    this.dispatchSoon()
  }

  /** A thread without a trial, else a new one, else one without a trial to go on with, where enough are left for everybody. */
  private freeWorker(): Worker | undefined {
    const { size } = this.options
    const having = (jobs: number) => [...this.workers].find(([, { length }]) => length === jobs)?.[0]
    const idle = having(0) ?? (this.workers.size < size - 1 ? this.start() : undefined)
    return idle ?? (this.hereIsBusy && this.waiting.length > size ? having(1) : undefined)
  }

  private start(): Worker {
    const worker = this.options.threads.take()
    this.workers.set(worker, [])
    worker.postMessage(this.opening)
    worker.on('message', (reply: TrialReply) => this.answered(worker, reply))
    worker.on('error', (error) => this.lost(worker, error as Error))
    worker.on('exit', () => this.lost(worker, new Error('a thread of the trial pool ended')))
    return worker
  }

  private runIn(worker: Worker, job: Job): void {
    job.startedAt = this.options.now()
    this.workers.get(worker)!.push(job)
    worker.postMessage(job.request)
  }

  private answered(worker: Worker, reply: TrialReply): void {
    const jobs = this.workers.get(worker)!
    const job = jobs.shift()!
    this.count(job)
    if (jobs[0]) jobs[0].startedAt = this.options.now()
    if ('result' in reply) job.resolve(reply.result)
    else job.reject(Object.assign(new Error(reply.error.message), { stack: reply.error.stack }))
    this.dispatchSoon()
  }

  private count({ request, startedAt }: Job): void {
    const key = keyOf(request)
    this.took.set(key, (this.took.get(key) ?? 0) + this.options.now() - startedAt)
  }

  private rankOf(request: TrialRequest): number {
    const key = keyOf(request)
    const rank = this.ranks.get(key) ?? this.ranks.size
    this.ranks.set(key, rank)
    return rank
  }

  /** A thread died: its trials fail, the others go on. */
  private lost(worker: Worker, error: Error): void {
    if (this.closed) return
    const jobs = this.workers.get(worker) ?? []
    this.workers.delete(worker)
    for (const job of jobs) job.reject(error)
    this.dispatchSoon()
  }
}

const keyOf = ({ scenario, subject }: TrialRequest): string => `${scenario.slug} ${subject}`
