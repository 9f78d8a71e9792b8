import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, it as always, beforeAll, expect } from 'vitest'
import type { Slos } from '../../../slo/objective.ts'
import { whyNoK6 } from '../binary/find.ts'
import { EXIT_CODES } from '../exit.ts'
import { type StreamServer, startStreamServer } from '../testing/stream-server.ts'
import { runUserScript } from './run.ts'

const it = always.skipIf(await whyNoK6('nothing'))
const itWithSse = always.skipIf(await whyNoK6('any'))

let folder: string
let server: StreamServer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seatrial k6 scripts-'))
  server = await startStreamServer({ firstMs: 30, gapMs: 5 })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const AVAILABLE: Slos = [{ origin: 'given', kind: 'availability', share: 0.99 }]
const QUICK: Slos = [{ origin: 'given', kind: 'e2e', percentile: 95, limitUs: 10e3 }]

async function run(script: string, slos: Slos, args: readonly string[] = []) {
  const path = join(folder, `script ${Math.abs(hash(script))}.js`)
  writeFileSync(path, script)
  const lines: string[] = []
  const ran = await runUserScript({
    script: path,
    env: { BASE_URL: server.url, MODEL: 'tiny' },
    slos,
    args,
    onLine: (line) => lines.push(line),
    onLog: (line) => lines.push(line),
  })
  return { ...ran, exitCode: ran.invalid ? 5 : EXIT_CODES[ran.end], said: lines.join('\n') }
}
const hash = (text: string): number => [...text].reduce((sum, one) => (Math.imul(sum, 31) + one.charCodeAt(0)) | 0, 7)

const POSTS = `
import http from 'k6/http'
import { check } from 'k6'
export const options = { vus: 2, iterations: 10, thresholds: { checks: ['rate>0.9'] } }
export default function () {
  const body = JSON.stringify({ model: __ENV.MODEL, messages: [], max_tokens: 3, stream: true })
  const answer = http.post(__ENV.BASE_URL + '/v1/chat/completions', body, { headers: { 'content-type': 'application/json' } })
  check(answer, { 'is 200': (one) => one.status === 200 })
}`

it('runs a script as it is, with thresholds of its own and of the SLOs', async () => {
  const ran = await run(POSTS, AVAILABLE)
  expect(ran).toMatchObject({ end: 'ended', exitCode: 0, invalid: undefined, unmeasured: [] })
  expect(ran.summary).toMatchObject({ requests: 10, iterations: 10, failedShare: 0, checks: { passed: 10, failed: 0 } })
  expect(ran.summary!.thresholds.map(({ metric, ok }) => [metric, ok]).sort()).toEqual([
    ['checks', true],
    ['http_req_failed', true],
  ])
  expect(ran.said).toContain('http_req_duration')
})

it('ends with 99 when an SLO is broken that the script knows nothing of', async () => {
  expect(await run(POSTS, QUICK)).toMatchObject({ end: 'slo-breached', exitCode: 99 })
})

it('takes further arguments of k6, and says what is not measured', async () => {
  const ran = await run(POSTS, [{ origin: 'given', kind: 'ttft', percentile: 95, limitUs: 1 }], ['--iterations', '4'])
  expect(ran.summary?.requests).toBe(4)
  expect(ran.unmeasured.map(({ kind }) => kind)).toEqual(['ttft'])
})

it('finds a script that sends nothing invalid, of which k6 says that it passed', async () => {
  const ran = await run('export default function () {}', AVAILABLE)
  expect(ran).toMatchObject({ end: 'ended', exitCode: 5, invalid: expect.stringContaining('sent no HTTP request') })
})

it('finds a script that k6 cannot run wrong', async () => {
  expect(await run('export const nothing = 1', [])).toMatchObject({ end: 'bad-script', exitCode: 2 })
  expect(await run('export default function ( {', [])).toMatchObject({ end: 'bad-script', exitCode: 2 })
  const threw = await run("throw new Error('mine')\nexport default function () {}", [])
  expect(threw).toMatchObject({ end: 'bad-script', exitCode: 2, text: expect.stringContaining('mine') })
  const aborts = `import exec from 'k6/execution'\nexport default function () { exec.test.abort('enough') }`
  expect(await run(aborts, [])).toMatchObject({ end: 'broken', exitCode: 5 })
})

it('leaves relative files, named scenarios and a handler of the summary as they are', async () => {
  writeFileSync(join(folder, 'model.txt'), 'named')
  const ran = await run(
    `import http from 'k6/http'
     import { Counter } from 'k6/metrics'
     const text = open('./model.txt')
     const named = new Counter('named_' + text)
     export const options = { scenarios: { one: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'go' } } }
     export function go() { http.get(__ENV.BASE_URL + '/health'); named.add(1) }
     export const handleSummary = (data) => ({ stdout: 'mine: ' + data.metrics.named_named.values.count })`,
    AVAILABLE,
  )
  expect(ran).toMatchObject({ end: 'ended', exitCode: 0 })
  expect(ran.said).toContain('mine: 2')
  expect(ran.summary?.metrics['named_named']?.['count']).toBe(2)
})

itWithSse('gives scripts of xk6-sse what they import', async () => {
  const ran = await run(
    `import sse from 'k6/x/sse'
     import { check } from 'k6'
     export const options = { iterations: 3, thresholds: { checks: ['rate==1'] } }
     export default function () {
       let events = 0
       const params = { method: 'POST', body: JSON.stringify({ max_tokens: 3, stream: true }), headers: { 'content-type': 'application/json' } }
       const response = sse.open(__ENV.BASE_URL + '/v1/chat/completions', params, (client) => {
         client.on('event', (event) => { events++; if (event.data === '[DONE]') client.close() })
         client.on('error', (e) => { throw new Error(e.error()) })
       })
       check(response, { 'status is 200': (r) => r && r.status === 200, 'all events': () => events === 6 })
     }`,
    AVAILABLE,
  )
  expect(ran).toMatchObject({ end: 'ended', exitCode: 0, summary: { requests: 3, failedShare: 0 } })
})
