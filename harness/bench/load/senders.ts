import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ms, seconds } from '../../../sandbox/world/time.ts'
import { sendOverHttp } from '../../load/http/http-sender.ts'
import { PromptMaker } from '../../load/http/prompt.ts'
import { prepared, scheduled } from '../../load/http/requests.ts'
import type { LoadRecord, SendingLoad, SendOptions } from '../../load/http/sender.ts'
import { countByTokenize, listModels } from '../../load/http/server.ts'
import { learnVocabulary } from '../../load/http/vocabulary.ts'
import { findK6 } from '../../load/k6/binary/find.ts'
import { startK6 } from '../../load/k6/sender.ts'
import { type Percentiles, percentilesOf } from '../../load/results/percentiles.ts'
import { type LoadSummary, summarise } from '../../load/results/summary.ts'
import type { Workload } from '../../load/workload.ts'
import { simulated } from './simulated.ts'

/**
 * `npm run bench:load`: one schedule by three senders on the same server: the simulator's, on a virtual clock; ours over HTTP and k6's against
 * the mock in a process of its own, one after the other. Percentiles side by side. `-- --rate 4 --seconds 60`.
 */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    gpu: { type: 'string', default: 'h100-sxm' },
    model: { type: 'string', default: 'meta-llama/Llama-3.1-8B-Instruct' },
  },
})
type Records = Parameters<typeof summarise>[0]

const WORKLOAD: Workload = {
  arrival: 'poisson',
  requestsPerSecond: Number(values.rate),
  promptTokens: { kind: 'lognormal', meanTokens: 800, p95Tokens: 2400 },
  outputTokens: { kind: 'lognormal', meanTokens: 150, p95Tokens: 400 },
  sharedTokens: 256,
  timeoutUs: seconds(60),
}
const SERVER = 'bench'
const seed = Number(values.seed)
const untilUs = seconds(Number(values.seconds))
const window = { fromUs: 0, untilUs }
const cli = fileURLToPath(new URL('../../../cli/bin.js', import.meta.url))

const columns: { readonly name: string; readonly records: Records; readonly summary: LoadSummary }[] = []
const add = (name: string, records: Records) =>
  columns.push({ name, records, summary: summarise(records, window, { limits: undefined, slackUs: ms(50) }) })

const port = await freePort()
add(
  'simulator',
  simulated({ args: [values.model], gpu: values.gpu, workload: WORKLOAD, server: SERVER, seed, untilUs }),
)
const k6 = await findK6('ours')
const real: [string, (options: SendOptions) => SendingLoad][] = [['HTTP', sendOverHttp]]
if (k6) real.push(['k6', (options) => startK6({ ...options, k6, slos: [] })])
for (const [name, send] of real) add(name, await against(send))
print()

/** A mock that nobody asked before: its prefix cache is empty. */
async function against(send: (options: SendOptions) => SendingLoad): Promise<LoadRecord[]> {
  const flags = ['vllm', '--gpu', `${values.gpu}:1`, '--load-time', '2s', 'serve', values.model]
  const mock = spawn(process.execPath, [cli, ...flags, '--host', '127.0.0.1', '--port', String(port)], {
    stdio: 'ignore',
  })
  const gone = new Promise((resolve) => mock.on('exit', resolve))
  try {
    const base = new URL(`http://127.0.0.1:${port}/`)
    const server = { base, headers: {}, timeoutMs: 5000 }
    for (let tries = 0; 'status' in (await listModels(server)); tries++) {
      if (tries > 300 || mock.exitCode !== null) throw new Error('the mock does not come up')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const vocabulary = await learnVocabulary(countByTokenize(server, values.model, 'chat'), true)
    const plan = scheduled(WORKLOAD, { seed, server: SERVER, untilUs })
    const records: LoadRecord[] = []
    const load = send({
      target: { url: new URL('/v1/chat/completions', base), headers: {} },
      requests: prepared(plan, { prompts: new PromptMaker(vocabulary, seed), model: values.model, endpoint: 'chat' }),
      ...{ seed, server: SERVER, retry: undefined, maxOpen: 2000, keepAlive: true },
      ended: (record) => records.push(record),
    })
    await load.done
    return records
  } finally {
    mock.kill('SIGKILL')
    await gone
  }
}

function print(): void {
  const cell = (p: Percentiles | undefined, of: keyof Percentiles) => (p ? (p[of] / 1e3).toFixed(1) : '–')
  const row = (name: string, of: (summary: LoadSummary) => string) =>
    console.log(`| ${name} | ${columns.map(({ summary }) => of(summary)).join(' | ')} |`)
  console.log(
    `${values.model} on ${values.gpu}, ${values.rate}/s for ${values.seconds} s, seed ${seed}; load average ${loadavg()[0]!.toFixed(1)}\n`,
  )
  console.log(`| | ${columns.map(({ name }) => name).join(' | ')} |\n|---|${columns.map(() => '---|').join('')}`)
  row('requests, ok', ({ planned, ended }) => `${planned}, ${ended['ok'] ?? 0}`)
  row('prompt tokens', ({ tokens }) => String(tokens.gotPrompt || tokens.plannedPrompt))
  row('answer tokens', ({ tokens }) => String(tokens.got))
  for (const [name, latency] of [
    ['TTFT', 'ttft'],
    ['TPOT', 'tpot'],
    ['ITL', 'itl'],
    ['end-to-end', 'e2e'],
    ['schedule delay', 'delay'],
  ] as const)
    for (const p of ['p50Us', 'p90Us', 'p95Us', 'p99Us'] as const)
      row(`${name} ${p.slice(0, 3)}, ms`, (summary) => cell(summary[latency], p))
  for (const latency of ['ttftUs', 'e2eUs'] as const)
    for (const p of ['p50Us', 'p95Us'] as const)
      console.log(
        `| ${latency === 'ttftUs' ? 'TTFT' : 'end-to-end'} of a request beyond the simulator’s, ${p.slice(0, 3)}, ms | ${columns.map(({ records }) => cell(beyond(records, latency), p)).join(' | ')} |`,
      )
}

/** How much longer requests took than the same ones in the simulator. */
function beyond(records: Records, latency: 'ttftUs' | 'e2eUs'): Percentiles | undefined {
  const simulated = new Map(columns[0]!.records.map((record) => [record.id, record[latency]]))
  return percentilesOf(
    records.flatMap((record) => {
      const [here, there] = [record[latency], simulated.get(record.id)]
      return here === undefined || there === undefined ? [] : [here - there]
    }),
  )
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return address.port
}
