import { Worker } from 'node:worker_threads'

/**
 * Threads that can run trials. Those started ahead load what a trial needs while the platform is still being read;
 * nothing but `node:worker_threads` is loaded here, so that they can be started before everything else.
 */
export class Threads implements AsyncDisposable {
  private readonly all = new Set<Worker>()
  private readonly ahead: Worker[] = []

  /** Starts `count` threads that `take` gives away. */
  startAhead(count: number): void {
    for (let i = 0; i < count; i++) this.ahead.push(this.start())
  }

  /** A thread that nobody has: one started ahead, or a new one. */
  take(): Worker {
    return this.ahead.shift() ?? this.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.all].map((worker) => worker.terminate()))
  }

  private start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    this.all.add(worker)
    // one that dies before it is taken is nobody's loss
    worker.on('error', () => this.forget(worker))
    worker.on('exit', () => this.forget(worker))
    return worker
  }

  private forget(worker: Worker): void {
    this.all.delete(worker)
    const index = this.ahead.indexOf(worker)
    if (index >= 0) this.ahead.splice(index, 1)
  }
}
