/** Runs some vLLM servers in this process, one engine each, for `measure.ts`: tells their ports, and what it measured when asked. */
import { performance } from 'node:perf_hooks'
import { serveVllm } from '../../../sandbox/vllm/wire/edge/serve.ts'
import { ms } from '../../../sandbox/world/time.ts'
import { LatenessHistogram } from './lateness.ts'

const [count = '4', gpu = 'a100-sxm-80gb', running = '84'] = process.argv.slice(2)

/** What the parent is told. */
export interface EnginesReport {
  readonly lateness: readonly number[]
  readonly tokens: number
  readonly cpuSeconds: number
  readonly atMs: number
}

const lateness = new LatenessHistogram()
const servers = await Promise.all(Array.from({ length: Number(count) }, (_, i) => start(i)))
process.send!({ ports: servers.map(({ port }) => port) })
process.on('message', (word) => {
  if (word === 'begin') lateness.clear()
  process.send!(report())
})
process.on('disconnect', () => process.exit())

function report(): EnginesReport {
  const { user, system } = process.cpuUsage()
  const tokens = servers.reduce(
    (sum, { server }) => sum + server.process!.server.stats().reduce((all, engine) => all + engine.generatedTokens, 0),
    0,
  )
  return { lateness: lateness.counts(), tokens, cpuSeconds: (user + system) / 1e6, atMs: performance.now() }
}

async function start(index: number) {
  const listening = Promise.withResolvers<number>()
  const server = serveVllm({
    args: [
      ...['meta-llama/Llama-3.1-8B-Instruct', '--served-model-name', 'm', '--host', '127.0.0.1', '--port', '0'],
      ...['--max-num-seqs', running, '--max-model-len', '8192', '--disable-uvicorn-access-log'],
    ],
    environment: {},
    gpu: { id: gpu, count: 1 },
    seed: index + 1,
    // engines that start together would step together
    loadTimeUs: ms(100 + 3 * index),
    answers: 'endless',
    apiServerPid: process.pid,
    log: () => undefined,
    exit: (code) => process.exit(code),
    listening: listening.resolve,
    wrote: () => lateness.add(server.clock.now - server.clock.scheduled),
  })
  return { server, port: await listening.promise }
}
