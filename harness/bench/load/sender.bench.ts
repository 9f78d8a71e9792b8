import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ms, seconds, type Us } from '../../../sandbox/world/time.ts'
import { sendOverHttp } from '../../load/http/http-sender.ts'
import { PromptMaker } from '../../load/http/prompt.ts'
import { prepared, scheduled } from '../../load/http/requests.ts'
import type { LoadRecord } from '../../load/http/sender.ts'
import { ESTIMATED } from '../../load/http/vocabulary.ts'
import { summarise } from '../../load/results/summary.ts'
import { meter } from '../meter.ts'

/**
 * What the HTTP sender costs: `node harness/bench/load/sender.bench.ts` prints the CPU of its process per token of 500 streams at 20,000 tokens
 * a second, per request with an answer of one token, and the highest rate of these (prompts of 200 tokens) that it still sends on time.
 */
const source = spawn(process.execPath, [fileURLToPath(new URL('./token-source.ts', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [line] = (await once(source.stdout, 'data')) as [Buffer]
const url = new URL(`http://127.0.0.1:${Number(String(line))}/v1/chat/completions`)
const cost = meter()

interface Shape {
  readonly perSecond: number
  readonly tokens: number
  readonly forUs: Us
}

async function send({ perSecond, tokens, forUs }: Shape) {
  const plan = scheduled(
    {
      arrival: 'poisson',
      requestsPerSecond: perSecond,
      promptTokens: { kind: 'constant', tokens: 200 },
      outputTokens: { kind: 'constant', tokens },
      timeoutUs: seconds(60),
    },
    { seed: 1, server: 'bench', untilUs: forUs },
  )
  const records: LoadRecord[] = []
  const spent = meter()
  const load = sendOverHttp({
    target: { url, headers: {} },
    requests: prepared(plan, { prompts: new PromptMaker(ESTIMATED, 1), model: 'm', endpoint: 'chat' }),
    ...{ seed: 1, server: 'bench', retry: undefined, maxOpen: 5000, keepAlive: true },
    ended: (record) => records.push(record),
  })
  await load.done
  const { cpuS } = spent()
  const { delay, sentPerSecond, intendedPerSecond, ended } = summarise(
    records,
    { fromUs: 0, untilUs: forUs },
    { limits: undefined, slackUs: ms(50) },
  )
  const onTime = delay!.p99Us <= ms(50) && sentPerSecond >= 0.99 * intendedPerSecond && ended['ok'] === records.length
  return { cpuS, requests: records.length, tokens: records.reduce((sum, one) => sum + one.outputTokens, 0), onTime }
}

// compiles what is measured
await send({ perSecond: 200, tokens: 20, forUs: seconds(1) })
// 100 a second for 5 s: 500 streams of 200 tokens
const streamed = await send({ perSecond: 100, tokens: 200, forUs: seconds(10) })
const short = await send({ perSecond: 500, tokens: 1, forUs: seconds(3) })
let maxPerSecond = 0
for (let perSecond = 500; perSecond <= 16_000; perSecond = Math.round(perSecond * 1.26)) {
  // what else the machine does may make one try late
  let onTime = false
  for (let tries = 0; tries < 3 && !onTime; tries++)
    onTime = (await send({ perSecond, tokens: 1, forUs: seconds(3) })).onTime
  if (!onTime) break
  maxPerSecond = perSecond
}
source.kill()
console.log(
  JSON.stringify({
    ...cost(),
    usPerToken: (streamed.cpuS / streamed.tokens) * 1e6,
    usPerRequest: (short.cpuS / short.requests) * 1e6,
    maxPerSecond,
  }),
)
