import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { type Behaviour, type ScriptedServer, scriptedServer } from '../../harness/load/http/testing/scripted-server.ts'
import { ms } from '../../sandbox/world/time.ts'
import { UsageError } from '../failure.ts'
import type { LoadTestOptions } from '../load-test/options.ts'
import type { LoadResult } from '../load-test/result.ts'
import { loadTest } from './load.ts'

/** So late as a busy machine may be: what is late is tested elsewhere. */
const DEFAULTS: LoadTestOptions = {
  endpoint: 'chat',
  seed: '1',
  sender: 'http',
  keepAlive: true,
  output: 'terminal',
  maxDelay: '20s',
  rate: '50/s',
  duration: '1s',
}
const FAST: Behaviour = { kind: 'stream', ttftUs: ms(5), itlUs: 1, tokens: 3 }
const PLATFORM = new URL('../../fixtures/platforms/showcase', import.meta.url).pathname

async function printed(what: string | ScriptedServer, options: Partial<LoadTestOptions> = {}) {
  let [text, said] = ['', '']
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  const error = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    said += String(chunk)
    return true
  })
  try {
    const url = typeof what === 'string' ? what : what.url.href
    return { code: await loadTest(url, { ...DEFAULTS, ...options }), text, said }
  } finally {
    out.mockRestore()
    error.mockRestore()
  }
}

describe('seatrial load', () => {
  it('sends a preset’s requests, and passes what holds its SLOs', async () => {
    await using server = await scriptedServer(() => FAST)
    const { code, text } = await printed(server, { workload: 'rag', slo: ['ttft-p90<10s', 'goodput>80%'] })
    expect([code, text]).toEqual([0, expect.stringMatching(/TTFT p90 ≤ 10s +was .* 0 of \d+ over it\n[\s\S]*PASS\n$/)])
    expect(text).toMatch(/requests +\d+ ok\n/)
    expect(text).toMatch(/prefix cache .* by the schedule/)
    const { body } = server.asked[0]!
    expect(body).toMatchObject({ model: 'm', stream: true, stream_options: { include_usage: true } })
  })

  it('ends with 99 where one is broken, 5 where nothing can be said', async () => {
    await using server = await scriptedServer(() => FAST)
    expect(await printed(server, { slo: ['ttft-p90<1ms'] })).toMatchObject({
      code: 99,
      text: expect.stringContaining('FAIL'),
    })
    const few = await printed(server, { slo: ['ttft-p99<10s'], duration: '200ms' })
    expect([few.code, few.text]).toEqual([5, expect.stringMatching(/INVALID +TOO_FEW/)])
  })

  it('keeps all requests in a file, and prints JSON', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seatrial-load-'))
    try {
      await using server = await scriptedServer((n) =>
        n === 7 ? { kind: 'status', status: 500, body: { error: { message: 'no' } } } : FAST,
      )
      const file = join(folder, 'load.json')
      const { code, text } = await printed(server, {
        json: true,
        out: file,
        seed: '3',
        warmUp: '200ms',
        slo: ['availability>50%'],
      })
      const printedResult = JSON.parse(text) as LoadResult
      const { requests, ...result } = JSON.parse(readFileSync(file, 'utf8')) as LoadResult & {
        requests: { id: string; ended: string }[]
      }
      expect(result).toEqual(printedResult)
      expect(code).toBe(0)
      expect(result).toMatchObject({
        schemaVersion: 1,
        seed: 3,
        model: 'm',
        workload: 'chat',
        warmUpUs: 200_000,
        durationUs: 1_000_000,
      })
      // three tokens have two gaps between them, and what answered with an error none
      expect(result.summary.itl?.count).toBe(2 * result.summary.ended['ok']!)
      expect(requests.length).toBe(server.asked.length)
      expect(requests.length).toBeGreaterThan(result.summary.planned)
      expect(requests.find(({ id }) => id === 'r7')).toMatchObject({ ended: 'http', status: 500, why: 'no' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('takes workload, SLOs and model of a platform', async () => {
    await using server = await scriptedServer(() => FAST, { models: [{ id: 'other' }, { id: 'titles' }] })
    // which verdict it comes to is the machine's affair
    const { text } = await printed(PLATFORM, {
      url: server.url.href,
      target: 'titles',
      rate: '250/s',
      json: true,
    })
    const { server: name, verdict, model, traffic } = JSON.parse(text) as LoadResult
    expect([name, model, server.asked[0]!.body['model']]).toEqual(['default/titles', 'titles', 'titles'])
    expect(traffic).toMatchObject({ requestsPerSecond: 250, outputTokens: { kind: 'constant', tokens: 24 } })
    const objectives = verdict.objectives.map(({ objective: { kind, origin } }) => `${kind} ${origin}`)
    expect(objectives).toEqual(['availability given', 'ttft given', 'tpot given'])
    await expect(printed(PLATFORM, { url: server.url.href })).rejects.toMatchObject({ code: 'WHICH_TARGET' })
  })

  it('sends the same schedule with the same seed, and other texts unless they are asked for', async () => {
    const asked = async (samePrompts: boolean) => {
      await using server = await scriptedServer(() => FAST)
      await printed(server, { duration: '300ms', samePrompts })
      return server.asked.map(({ body }) => body as { max_tokens: number; messages: { content: string }[] })
    }
    const [a, b, c] = [await asked(true), await asked(true), await asked(false)]
    expect(a).toEqual(b)
    const lengths = (bodies: typeof a) =>
      bodies.map((body) => [body.max_tokens, body.messages[0]!.content.split(' ').length])
    expect(lengths(c)).toEqual(lengths(a))
    expect(c[0]!.messages[0]!.content.slice(0, 80)).not.toBe(a[0]!.messages[0]!.content.slice(0, 80))
  })

  it('leaves out ignore_eos where answers shall end by themselves', async () => {
    await using server = await scriptedServer(() => FAST)
    await printed(server, { duration: '200ms', naturalEnds: true })
    expect(server.asked[0]!.body).not.toHaveProperty('ignore_eos')
  })

  it.each<[string, Partial<LoadTestOptions>, number, string]>([
    ['http://127.0.0.1:1', {}, 3, 'NO_SERVER'],
    ['http://203.0.113.7', {}, 2, 'CONFIRM'],
    ['http://203.0.113.7', { confirm: '203.0.113.8' }, 2, 'CONFIRM'],
    ['127.0.0.1:8000', {}, 2, 'BAD_URL'],
    ['ftp://127.0.0.1', {}, 2, 'BAD_URL'],
    ['http://me:secret@127.0.0.1', {}, 2, 'BAD_URL'],
    ['http://127.0.0.1:1', { url: 'http://127.0.0.1:2' }, 2, 'BAD_OPTION'],
    [PLATFORM, {}, 2, 'NO_URL'],
    ['http://127.0.0.1:1', { workload: 'chatt' }, 2, 'UNKNOWN_WORKLOAD'],
    ['http://127.0.0.1:1', { rate: 'many' }, 2, 'BAD_OPTION'],
    ['http://127.0.0.1:1', { rate: '0' }, 2, 'BAD_OPTION'],
    ['http://127.0.0.1:1', { duration: '60' }, 2, 'BAD_OPTION'],
    ['http://127.0.0.1:1', { slo: ['ttft<2s'] }, 2, 'BAD_OPTION'],
    ['http://127.0.0.1:1', { seed: '-1' }, 2, 'BAD_OPTION'],
    ['http://127.0.0.1:1', { apiKeyEnv: 'SEATRIAL_NO_SUCH_VARIABLE' }, 2, 'NO_API_KEY'],
    ['http://127.0.0.1:1', { out: '/no/such/folder/load.json' }, 2, 'BAD_OPTION'],
  ])('%s %j exits with %i, %s', async (what, options, exitCode, code) => {
    const error = await printed(what, options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ exitCode, code })
  })

  it.each<[Behaviour['kind'], number, readonly object[], Partial<LoadTestOptions>, string]>([
    ['stream', 200, [{ id: 'a' }, { id: 'b' }], {}, 'WHICH_MODEL'],
    ['stream', 200, [{ id: 'llama' }], { model: 'lama' }, 'UNKNOWN_MODEL'],
    ['stream', 200, [], {}, 'UNKNOWN_MODEL'],
  ])('%s %i with models %j and %j: %s', async (_kind, _status, models, options, code) => {
    await using server = await scriptedServer(() => FAST, { models })
    const error = await printed(server, options).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ exitCode: 2, code })
  })

  it('ends at once on Ctrl-C, with what was measured', async () => {
    await using server = await scriptedServer((n) => (n < 5 ? FAST : { kind: 'hang' }))
    const bin = new URL('../bin.js', import.meta.url).pathname
    const child = spawn(process.execPath, [bin, 'load', server.url.href, '--rate', '50', '--duration', '10m'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let text = ''
    child.stdout.on('data', (piece) => {
      text += piece
    })
    await expect.poll(() => server.asked.length, { timeout: 20_000 }).toBeGreaterThan(8)
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect([code, text]).toEqual([130, expect.stringMatching(/interrupted.*\d+ ok · \d+ unfinished/s)])
  })
})
