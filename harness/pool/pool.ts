import { Worker } from 'node:worker_threads'
import type { LagProfile } from '../../sandbox/kube/lag.ts'
import type { Platform } from '../platform/platform.ts'
import type { Attempt } from '../verdict/attempt.ts'
import type { TrialResult } from '../verdict/verdict.ts'
import type { TrialReply, TrialRequest, WorkerData } from './messages.ts'
import { portable } from './portable.ts'

interface Job {
  startedAt?: number
  readonly request: TrialRequest
  readonly resolve: (result: TrialResult) => void
  readonly reject: (error: Error) => void
}

/** Threads that run simulated trials side by side. A trial's bytes do not depend on which thread runs it, nor on the others. */
export class TrialPool implements AsyncDisposable {
  private readonly idle: Worker[] = []
  private readonly busy = new Map<Worker, Job>()
  private readonly waiting: Job[] = []
  private readonly took = new Map<string, number>()
  private readonly now: () => number
  private readonly size: number
  private readonly data: WorkerData
  private workers = 0
  private nextId = 0
  private closed = false

  /** No thread is started before there is work for it. `now`: milliseconds, to tell how long trials took. */
  constructor(options: { platform: Platform; lag: LagProfile; size: number; now: () => number }) {
    this.size = options.size
    this.now = options.now
    this.data = { platform: portable(options.platform), lag: options.lag }
  }

  readonly attempt: Attempt = ({ scenario, judgeable }, seed, overrides) =>
    new Promise((resolve, reject) => {
      const request = { id: this.nextId++, scenario, subject: judgeable.key, seed, overrides }
      this.waiting.push({ request, resolve, reject })
      this.dispatch()
    })

  /** Milliseconds that threads worked on a scenario's trials of one inference server. */
  tookMs(scenario: string, subject: string): number {
    return this.took.get(`${scenario} ${subject}`) ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
    await Promise.all([...this.idle, ...this.busy.keys()].map((worker) => worker.terminate()))
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const worker = this.idle.pop() ?? (this.workers < this.size ? this.start() : undefined)
      if (!worker) return
      const job = this.waiting.shift()!
      job.startedAt = this.now()
      this.busy.set(worker, job)
      worker.postMessage(job.request)
    }
  }

  private start(): Worker {
    this.workers++
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.data })
    worker.on('message', (reply: TrialReply) => {
      const job = this.busy.get(worker)!
      this.busy.delete(worker)
      this.idle.push(worker)
      this.count(job)
      if ('result' in reply) job.resolve(reply.result)
      else job.reject(Object.assign(new Error(reply.error.message), { stack: reply.error.stack }))
      this.dispatch()
    })
    worker.on('error', (error) => this.lost(worker, error as Error))
    worker.on('exit', () => {
      if (!this.closed) this.lost(worker, new Error('a thread of the trial pool ended'))
    })
    return worker
  }

  private count({ request, startedAt = 0 }: Job): void {
    const key = `${request.scenario.slug} ${request.subject}`
    this.took.set(key, (this.took.get(key) ?? 0) + this.now() - startedAt)
  }

  /** A thread died: its trial fails, the others go on. */
  private lost(worker: Worker, error: Error): void {
    const job = this.busy.get(worker)
    if (!job && !this.idle.includes(worker)) return
    this.busy.delete(worker)
    const index = this.idle.indexOf(worker)
    if (index >= 0) this.idle.splice(index, 1)
    this.workers--
    job?.reject(error)
    this.dispatch()
  }
}
