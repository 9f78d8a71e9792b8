import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { freePort, type StartedServer } from '../../sandbox/vllm/real/server-process.ts'
import { TINY_LLAMA } from './places.ts'
import { ask, type RawAnswer } from './raw-http.ts'
import { startMock } from './servers.ts'

const server = {
  vllm: '0.32.0',
  args: [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048'],
  environment: {},
}

const long = { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2_000, ignore_eos: true }

const chat = (to: StartedServer, body: object): Promise<RawAnswer> =>
  ask(
    { host: '127.0.0.1', port: to.port },
    {
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    },
  )

describe('a server', () => {
  it('that gets SIGTERM aborts what runs, answers it, and ends with 0', async () => {
    await using started = await startMock(server)
    const stream = chat(started, { ...long, stream: true, stream_options: { include_usage: true } })
    const whole = chat(started, long)
    await expect.poll(() => started.metrics(), { timeout: 10_000 }).toMatch(/num_requests_running\{[^}]*\} 2\.0/)
    started.signal('SIGTERM')
    const [streamed, answered] = await Promise.all([stream, whole])
    expect(answered.status).toBe(200)
    expect(JSON.parse(answered.body!).choices[0].finish_reason).toBe('abort')
    const events = streamed.body!.trimEnd().split('\n\n')
    expect(events.at(-1)).toBe('data: [DONE]')
    expect(events.at(-2)).toMatch(/"choices":\[\],"usage":\{/)
    expect(events.at(-3)).toMatch(/"finish_reason":"abort","stop_reason":null/)
    expect(await Promise.race([started.exited, pause(15_000, 'still there')])).toBe(0)
    expect(shutdownLog(started.logs())).toEqual(SHUTDOWN)
  }, 60_000)

  it('refuses connections until it is loaded', async () => {
    const port = await freePort()
    const ready = startMock(server, ['--load-time', '3s'])
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
    await using started = await ready
    expect((await fetch(`${started.url}/health`)).status).toBe(200)
  }, 60_000)
})

/** What a real server was seen to log from the signal on, in its order. */
const SHUTDOWN = [
  'launcher.py [shutdown] API server: shutdown triggered',
  'launcher.py [shutdown] API server: stopping engine client mode=abort timeout=0s',
  'core_client.py [shutdown] MPClient: start timeout=0s',
  'core_client.py [shutdown] MPClient: engine manager stopped',
  'core_client.py [shutdown] MPClient: complete',
  'launcher.py [shutdown] API server: engine client stopped',
  'launcher.py [shutdown] API server: signalling HTTP server shutdown',
  'INFO:     Shutting down',
  'INFO:     Waiting for application shutdown.',
  'INFO:     Application shutdown complete.',
]

function shutdownLog(log: string): string[] {
  const said = log.split('\n').map((line) => line.replace(/^\(\w+ pid=\d+\) \w+ [\d-]+ [\d:]+ \[([\w.]+):\d+\]/, '$1'))
  return said.filter((line) => SHUTDOWN.includes(line))
}
