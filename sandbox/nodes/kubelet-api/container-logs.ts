import type { ServerResponse } from 'node:http'
import type { Task } from '../../world/actor.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { ContainerLog, LogLine } from '../container-log.ts'
import type { HostedPod } from '../hosted-pod.ts'
import type { LogOptions } from './log-options.ts'
import { logSource, NoLog } from './log-source.ts'

export interface LogRequest {
  readonly container: string
  readonly options: LogOptions
  readonly response: ServerResponse
  /** The pod as its kubelet knows it now; undefined when the node cannot be asked any more. */
  hosted(): HostedPod | undefined
  /** Unix time in microseconds of a time of the world. */
  unixUs(at: Us): number
}

/** How often a reader that follows looks whether the container still runs. */
const CHECKS_EVERY: Us = seconds(1)

/** Writes out what a container has written, and goes on as long as it runs where that is asked for. */
// follows ReadLogs of k8s.io/cri-client/pkg/logs/logs.go
export function* containerLogs(request: LogRequest): Task {
  const { response, options, container } = request
  const first = request.hosted()
  if (!first) return void response.destroy()
  let source: ReturnType<typeof logSource>
  try {
    source = logSource(first, container, options.previous)
  } catch (error) {
    if (!(error instanceof NoLog)) throw error
    response.writeHead(400, { 'content-type': 'text/plain' }).end(error.message)
    return
  }
  response.writeHead(200, { 'content-type': 'text/plain' })
  // the head goes out before there is anything to read
  response.flushHeaders()
  const { log } = source
  if (log && !(yield* write(request, log, source.id))) return void response.destroy()
  response.end()
}

/** False: the node went dark under the reader. */
function* write(request: LogRequest, log: ContainerLog, id: string): Task<boolean> {
  const { options, response } = request
  const writer = new Writer(request)
  let next = options.tailLines === undefined ? 0 : Math.max(0, log.written - options.tailLines)
  for (;;) {
    const lines = log.from(next)
    next = log.written
    if (!writer.take(lines) || !options.follow || response.destroyed) return true
    const hosted = request.hosted()
    if (!hosted) return false
    const runs = hosted.runtime.containers.some(({ view }) => view.id === id && view.state === 'running')
    if (log.written > next) continue
    if (!runs) return true
    yield* log.changed.waitFor(CHECKS_EVERY)
  }
}

class Writer {
  private readonly request: LogRequest
  private left: number

  constructor(request: LogRequest) {
    this.request = request
    this.left = request.options.limitBytes ?? Number.POSITIVE_INFINITY
  }

  /** False when nothing more may be written. */
  take(lines: readonly LogLine[]): boolean {
    const { options, response, unixUs } = this.request
    const out: Buffer[] = []
    for (const { at, text } of lines) {
      if (options.since !== undefined && at < options.since) continue
      const line = Buffer.from(`${options.timestamps ? `${nanosOf(unixUs(at))} ` : ''}${text}\n`)
      out.push(line.subarray(0, this.left))
      this.left -= line.length
      if (this.left <= 0) break
    }
    if (out.length > 0) response.write(Buffer.concat(out))
    return this.left > 0
  }
}

/** `2026-01-01T00:00:12.345678000Z`: as the container runtime writes times, in nine digits. */
function nanosOf(unixUs: number): string {
  const second = Math.floor(unixUs / 1e6)
  const text = new Date(second * 1e3).toISOString().slice(0, 19)
  return `${text}.${String(unixUs - second * 1e6).padStart(6, '0')}000Z`
}
