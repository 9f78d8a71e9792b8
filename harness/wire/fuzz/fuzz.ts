import { readdirSync } from 'node:fs'
import type { StartedServer } from '../../../sandbox/vllm/real/server-process.ts'
import { randomStream } from '../../../sandbox/world/random.ts'
import { fuzzCase } from './cases.ts'
import { type Played, play } from './play.ts'

/** Runs before the server’s program: reports its heap, collected, when it is told to. */
export const HEAP_REPORTER =
  'data:text/javascript,process.on("SIGUSR2",()=>{gc();gc();console.error("heap "+process.memoryUsage().heapUsed)})'

/** What a process holds. */
export interface Held {
  /** In bytes, after a collection. */
  readonly heapBytes: number
  readonly openFiles: number
  readonly running: number
}

export interface Fuzzed {
  readonly played: number
  readonly byKind: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** At most a hundred, with the number of the case. */
  readonly wrong: readonly string[]
}

/** Plays cases `from` to `from + n` of a seed, so many at once. */
export async function fuzz(
  server: StartedServer,
  seed: number,
  n: number,
  { from = 0, atOnce = 16 } = {},
): Promise<Fuzzed> {
  const byKind: Record<string, number> = {}
  const byStatus: Record<string, number> = {}
  const wrong: string[] = []
  let next = from
  const count = (of: Record<string, number>, key: string) => {
    of[key] = (of[key] ?? 0) + 1
  }
  const tell = (i: number, played: Played) => {
    count(byKind, played.kind)
    count(byStatus, String(played.answer?.status ?? 'none'))
    if (played.wrong !== undefined && wrong.length < 100)
      wrong.push(`seed ${seed} case ${i} (${played.kind}): ${played.wrong}`)
  }
  const client = async () => {
    while (next < from + n) {
      const i = next++
      tell(i, await play({ host: '127.0.0.1', port: server.port }, fuzzCase(randomStream(seed, `fuzz ${i}`))))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, client))
  return { played: n, byKind, byStatus, wrong }
}

/** What the server holds now. It must run with `HEAP_REPORTER` and `--expose-gc`. */
export async function held(server: StartedServer, settled: () => Promise<void>): Promise<Held> {
  const reports = () => [...server.logs().matchAll(/^heap (\d+)\n/gm)]
  const before = reports().length
  server.signal('SIGUSR2')
  while (reports().length === before) await settled()
  const heapBytes = Number(reports().at(-1)![1])
  const running = /^vllm:num_requests_running\{[^}]*\} (\S+)$/m.exec(await server.metrics())?.[1]
  return { heapBytes, openFiles: readdirSync(`/proc/${server.pid}/fd`).length, running: Number(running) }
}
