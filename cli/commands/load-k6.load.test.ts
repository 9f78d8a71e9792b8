import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, it as always, beforeAll, expect } from 'vitest'
import { whyNoK6 } from '../../harness/load/k6/binary/find.ts'
import type { LoadResult } from '../load-test/result.ts'

/** `seatrial load` by k6 on a server of `seatrial vllm serve`, each in a process of its own. */

const why = await whyNoK6('ours')
const it = always.skipIf(why)

const CLI = fileURLToPath(new URL('../bin.js', import.meta.url))
const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'

let folder: string
let url: string
let mock: ChildProcess | undefined
beforeAll(async () => {
  if (why) return
  folder = mkdtempSync(join(tmpdir(), 'seatrial-load-k6-'))
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const args = ['vllm', '--load-time', '1s', 'serve', MODEL, '--host', '127.0.0.1', '--port', String(port)]
  mock = spawn(process.execPath, [CLI, ...args], { stdio: 'ignore' })
  const isUp = () =>
    fetch(`${url}/health`).then(
      ({ status }) => status === 200,
      () => false,
    )
  while (!(await isUp())) {
    if (mock.exitCode !== null) throw new Error(`the mock ended with ${mock.exitCode}`)
    await wait(200)
  }
}, 120_000)
afterAll(async () => {
  if (!mock) return
  mock.kill('SIGKILL')
  await once(mock, 'exit')
  rmSync(folder, { recursive: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function load(...args: string[]) {
  const child = spawn(process.execPath, [CLI, 'load', url, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [text, said] = ['', '']
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString()
  })
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, text, said }))
  return { child, done }
}

/** As late as a busy machine may be. */
const SHORT = ['--rate', '10/s', '--duration', '4s', '--max-delay', '20s', '--json']

it('sends by k6 what is sent by itself, and holds it to the same SLOs', async () => {
  const slo = ['--slo', 'ttft-p90<20s,availability>90%']
  const own = await load(...SHORT, ...slo).done
  const byK6 = await load(...SHORT, ...slo, '--sender', 'k6').done
  expect([own.code, byK6.code, byK6.said]).toEqual([0, 0, expect.any(String)])
  const [one, other] = [own, byK6].map(({ text }) => JSON.parse(text) as LoadResult)
  const facts = ({ summary: { planned, ended, tokens }, verdict: { outcome } }: LoadResult) => ({
    ...{ planned, ended, outcome, asked: tokens.asked, got: tokens.got, prompts: tokens.gotPrompt },
  })
  expect(facts(other!)).toEqual(facts(one!))
  expect(one!.summary.planned).toBeGreaterThan(20)
  expect(other!.summary.itl!.count).toBe(one!.summary.itl!.count)
})

it('ends with 99 when an SLO is broken', async () => {
  const { code, text } = await load(...SHORT, '--slo', 'ttft-p90<1ms', '--sender', 'k6').done
  expect([code, (JSON.parse(text) as LoadResult).verdict.outcome]).toEqual([99, 'FAIL'])
})

it('runs a script of one’s own', async () => {
  const script = join(folder, 'mine.js')
  writeFileSync(
    script,
    `import http from 'k6/http'
     export const options = { iterations: 5 }
     export default () => http.post(__ENV.BASE_URL + '/v1/completions', JSON.stringify({ model: __ENV.MODEL, prompt: 'a', max_tokens: 3 }), { headers: { 'content-type': 'application/json' } })`,
  )
  const held = await load('--k6', script, '--slo', 'e2e-p95<20s').done
  expect([held.code, held.text]).toEqual([0, expect.stringContaining('held: http_req_duration p(95)<=20000')])
  expect((await load('--k6', script, '--slo', 'e2e-p95<1ms').done).code).toBe(99)
  const more = await load('--k6', script, '--json', '--', '--iterations', '7').done
  expect(JSON.parse(more.text)).toMatchObject({ sender: 'k6 script', model: MODEL, summary: { requests: 7 } })
  expect(await load('--k6', script, '--rate', '3').done).toMatchObject({ code: 2 })
  expect(await load('--k6', `${script}x`).done).toMatchObject({ code: 2, said: expect.stringContaining('K6_SCRIPT') })
})

it('ends k6 with it, when it is interrupted and when it is killed', async () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const) {
    const { child, done } = load('--rate', '10/s', '--duration', '60s', '--sender', 'k6')
    const k6s = () => descendants(child.pid!).filter((pid) => commandOf(pid).includes('schedule.js'))
    while (k6s().length < 2) await wait(50)
    const [pids] = [k6s()]
    await wait(1500)
    child.kill(signal)
    expect((await done).code).toBe(exitCode)
    for (let i = 0; i < 100 && pids.some((pid) => commandOf(pid) !== ''); i++) await wait(50)
    expect(pids.map(commandOf).filter(Boolean)).toEqual([])
  }
})

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function descendants(of: number): number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const]
    } catch {
      return []
    }
  })
  const found = [of]
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child)
  return found.slice(1)
}
