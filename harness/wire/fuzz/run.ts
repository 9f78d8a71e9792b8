import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { StartedServer } from '../../../sandbox/vllm/real/server-process.ts'
import { TINY_LLAMA } from '../places.ts'
import { startMock } from '../servers.ts'
import { type Fuzzed, fuzz, HEAP_REPORTER, type Held, held } from './fuzz.ts'

export interface FuzzReport extends Fuzzed {
  readonly before: Held
  readonly after: Held
  /** Undefined: it still runs. */
  readonly exited?: number | null
}

/** Requests before the first measurement: caches are filled and code is compiled. */
const WARM_UP = 1_000

/** Starts a server, plays so many cases of a seed, and tells what it holds after them and before. */
export async function fuzzMock(seed: number, n: number, warmUp = WARM_UP): Promise<FuzzReport> {
  const args = [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048']
  await using server = await startMock(
    { vllm: '0.32.0', args, environment: {} },
    [],
    ['--expose-gc', '--import', HEAP_REPORTER],
  )
  const warm = await fuzz(server, seed, warmUp)
  const before = await idle(server)
  const after = await fuzz(server, seed, n, { from: warmUp })
  const exited = await Promise.race([server.exited, pause(0, undefined)])
  const report = { ...after, wrong: [...warm.wrong, ...after.wrong], before }
  return exited === undefined ? { ...report, after: await idle(server) } : { ...report, after: before, exited }
}

/** What the server holds once it has nothing to do and has closed what was left open: 5 s for idle connections, and some more. */
async function idle(server: StartedServer): Promise<Held> {
  await pause(6_000)
  for (let tries = 0; tries < 50; tries++) {
    const now = await held(server, () => pause(50))
    if (now.running === 0) return now
    await pause(200)
  }
  return held(server, () => pause(50))
}

/** usage: node harness/wire/fuzz/run.ts [--requests 10000] [--seed 1] */
if (import.meta.main) {
  const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } })
  const report = await fuzzMock(Number(values.seed ?? 1), Number(values.requests ?? 10_000))
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.wrong.length > 0 || report.exited !== undefined ? 1 : 0
}
