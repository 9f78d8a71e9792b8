import { Worker } from 'node:worker_threads'
import { misleads } from '../../printable.ts'
import type { HostileReply, HostileRequest } from './judge-case.ts'

/** A reply, or that there was none in time. */
export type Answer = Omit<HostileReply, 'outcome'> & { readonly outcome: HostileReply['outcome'] | 'hung' }

/** Processor time that one input may take, and how long is waited for it on a machine that does other things, too. */
const CPU_MS_MAX = 5000
const BOUND_MS = 40_000
/** A thread that has started; its first input is not charged for that. */
const START_MS = 60_000
const MEMORY_MB = 1200

/** Judges inputs on a thread with little memory and little time; a thread that dies or hangs is replaced, and says so. */
export class Judges {
  private worker: Worker | undefined

  async ask(request: HostileRequest): Promise<Answer> {
    const worker = this.worker ?? (await this.start())
    const reply = await answer(worker, request, BOUND_MS)
    if (reply.outcome === 'hung') await this.close()
    return reply
  }

  async close(): Promise<void> {
    const { worker } = this
    this.worker = undefined
    await worker?.terminate()
  }

  /** What is wrong with an answer, whatever was asked. */
  complaints({ outcome, text, line, file, exitCode, cpuMs }: Answer, { line: needsLine }: { line: boolean }): string[] {
    if (outcome === 'hung') return [`no answer: ${text}`]
    if (outcome === 'crashed') return ['a crash']
    const slow = cpuMs > CPU_MS_MAX ? [`${cpuMs} ms`] : []
    if (outcome === 'judged') return slow
    return [
      ...slow,
      ...(exitCode === 2 ? [] : ['not exit code 2']),
      ...(needsLine && line === undefined ? ['no line'] : []),
      ...(needsLine && file === undefined ? ['no file'] : []),
      ...(/\n\s+at .*[:(]|node_modules|\[object |undefined \[/.test(text) ? ['a stack trace or an inner name'] : []),
      ...(misleads(text) ? ['something for a terminal'] : []),
      ...(/\[[A-Z_]+\]\n {4}\S.*\n {4}\S/.test(text) ? [] : ['no reason or no advice']),
      ...(text.length > 100_000 ? [`${text.length} characters`] : []),
    ]
  }

  private async start(): Promise<Worker> {
    const worker = new Worker(new URL('./judge-case.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      execArgv: [],
    })
    this.worker = worker
    await answer(worker, { paths: ['-'], cwd: '/nowhere', stdin: 'a: b' }, START_MS)
    return worker
  }
}

function answer(worker: Worker, request: HostileRequest, boundMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(boundMs)
    const done = (reply: Answer) => {
      late.onabort = null
      worker.off('message', done)
      worker.off('error', died)
      resolve(reply)
    }
    const died = (error: unknown) => done({ outcome: 'hung', cpuMs: 0, text: `its thread died: ${String(error)}` })
    late.onabort = () => done({ outcome: 'hung', cpuMs: 0, text: `nothing within ${boundMs} ms` })
    worker.on('message', done)
    worker.on('error', died)
    worker.postMessage(request)
  })
}
