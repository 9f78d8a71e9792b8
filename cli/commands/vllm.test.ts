import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'

const BIN = fileURLToPath(new URL('../bin.js', import.meta.url))
const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(...args: string[]) {
  const child = spawn(process.execPath, [BIN, 'vllm', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', (part) => {
    said.out += part
  })
  child.stderr.on('data', (part) => {
    said.err += part
  })
  return { child, said, ended: once(child, 'close').then(([code]) => code as number | null) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function firstAnswer(url: string): Promise<Response> {
  for (;;) {
    const answer = await fetch(url).catch(() => delay(10))
    if (answer) return answer
  }
}

it('serves until it is asked to end, with vLLM’s log on stdout and its own words on stderr', async () => {
  const port = await freePort()
  const { child, said, ended } = run(
    '--load-time',
    '300ms',
    'serve',
    MODEL,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  )
  while (!said.out.includes('Application startup complete.')) await once(child.stdout!, 'data')
  // as upstream, it listens after it has said so
  const answer = await firstAnswer(`http://127.0.0.1:${port}/version`)
  expect([answer.headers.get('server'), await answer.json()]).toEqual(['uvicorn', { version: '0.32.0' }])
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(said.out).toContain(`(APIServer pid=${child.pid}) INFO`)
  expect(said.out).toMatch(/INFO: {5}Application shutdown complete\.\n$/)
  expect(said.err).toMatch(/^seatrial: .*tokens are estimated/)
})

it.each([
  [['serve', MODEL, '--no-such-flag'], 2, 'vllm: error: unrecognized arguments: --no-such-flag'],
  [['bench', 'serve'], 2, 'vllm has one command here, serve, not «bench»'],
  [['serve', 'nobody/knows-this'], 2, 'nothing is known of the model nobody/knows-this'],
  [['--gpu', 'h1000', 'serve', MODEL], 2, 'no GPU is called «h1000»'],
  [['--fault-port', '0.0.0.0:9000', 'serve', MODEL], 2, 'NO_FAULT_TOKEN'],
])('%j ends with exit code %d', async (args, code, words) => {
  const { said, ended } = run('--load-time', '300ms', ...args)
  expect(await ended).toBe(code)
  expect(said.out + said.err).toContain(words)
})
