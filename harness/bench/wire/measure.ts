/**
 * Paced streams on this machine: `node harness/bench/wire/measure.ts [--engines 8] [--processes 2] [--streams 2000] [--seconds 20]
 * [--gpu a100-sxm-80gb] [--running 84]`, the last for the sequences that run at once in an engine, of which each gets a token a step.
 * Judged: 40,000 tokens a second, writes at most 2 ms late (P99), /metrics within 10 ms. Prints tokens a second, how late writes to sockets are against the time of their step, and what a scrape of /metrics takes.
 */
import { fork } from 'node:child_process'
import { loadavg } from 'node:os'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { EnginesReport } from './engines.ts'
import { lateAt } from './lateness.ts'

const { values } = parseArgs({
  options: {
    engines: { type: 'string', default: '8' },
    processes: { type: 'string', default: '2' },
    streams: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    gpu: { type: 'string', default: 'a100-sxm-80gb' },
    running: { type: 'string', default: '84' },
  },
})
const [engines, processes, streams, seconds] = [values.engines, values.processes, values.streams, values.seconds].map(
  Number,
)

/** A machine on which even an idle timer is later than this has no processor to spare. */
const IDLE_MS = 1

class Child<T> {
  private readonly child
  private waiting: ((message: T) => void)[] = []
  private early: T[] = []

  constructor(file: string, args: readonly string[]) {
    this.child = fork(new URL(file, import.meta.url), [...args])
    this.child.on('message', (message) => {
      const next = this.waiting.shift()
      if (next) next(message as T)
      else this.early.push(message as T)
    })
    this.child.on('exit', (code) => code && process.exit(code))
  }

  next(): Promise<T> {
    const early = this.early.shift()
    return early === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(early)
  }

  ask(word: string): Promise<T> {
    this.child.send(word)
    return this.next()
  }

  end(): void {
    this.child.disconnect()
  }
}

const idle = monitorEventLoopDelay({ resolution: 1 })
idle.enable()
const perProcess = Math.ceil(engines! / processes!)
const servers = Array.from(
  { length: processes! },
  () => new Child<EnginesReport & { ports: number[] }>('engines.ts', [String(perProcess), values.gpu, values.running]),
)
const ports = (await Promise.all(servers.map((server) => server.next()))).flatMap((message) => message.ports)
const client = new Child<{ bytes: number; closed: number }>('streams.ts', [ports.join(','), String(streams)])
await client.next()
await delay(4_000)
const before = await Promise.all(servers.map((server) => server.ask('begin')))
const bytesBefore = (await client.ask('count')).bytes
const scrapes: number[] = []
for (let i = 0; i < seconds!; i++) {
  await delay(1_000)
  const began = performance.now()
  await (await fetch(`http://127.0.0.1:${ports[i % ports.length]}/metrics`)).text()
  scrapes.push(performance.now() - began)
}
const after = await Promise.all(servers.map((server) => server.ask('report')))
const { bytes, closed } = await client.ask('count')
for (const child of [...servers, client]) child.end()

const sum = (of: (after: EnginesReport, before: EnginesReport) => number) =>
  after.reduce((all, report, i) => all + of(report, before[i]!), 0)
const elapsed = sum((a, b) => (a.atMs - b.atMs) / 1e3) / after.length
const tokens = sum((a, b) => a.tokens - b.tokens)
const cpu = sum((a, b) => a.cpuSeconds - b.cpuSeconds)
const late = after.map((report) => report.lateness)
const idleMs = idle.percentile(99) / 1e6 - 1
const verdict = () => {
  if (idleMs > IDLE_MS) return 'too busy a machine to judge'
  const held = tokens / elapsed >= 40_000 && lateAt(late, 0.99) <= 2_000 && scrapes.at(-1)! <= 10
  return held ? 'PASS' : 'FAIL'
}
const ms = (us: number) => (us / 1e3).toFixed(2)
scrapes.sort((a, b) => a - b)
const at = (share: number) => scrapes[Math.min(scrapes.length - 1, Math.floor(share * scrapes.length))]!.toFixed(1)
process.stdout.write(
  [
    `${ports.length} engines (${values.gpu}, ${values.running} running) in ${processes} processes, ${streams} streams (${closed} closed), ${elapsed.toFixed(1)} s, load ${loadavg()[0]!.toFixed(1)}`,
    `tokens/s ${Math.round(tokens / elapsed)}, client ${((bytes - bytesBefore) / 1e6 / elapsed).toFixed(1)} MB/s, servers ${(cpu / elapsed).toFixed(2)} cores, ${((cpu / tokens) * 1e6).toFixed(1)} µs of CPU a token`,
    `lateness of writes in ms: P50 ${ms(lateAt(late, 0.5))}, P90 ${ms(lateAt(late, 0.9))}, P99 ${ms(lateAt(late, 0.99))}, P99.9 ${ms(lateAt(late, 0.999))}`,
    `/metrics in ms: P50 ${at(0.5)}, max ${at(1)}`,
    `a timer of this process, which does next to nothing, was late by P99 ${idleMs.toFixed(2)} ms: ${verdict()}`,
    '',
  ].join('\n'),
)
