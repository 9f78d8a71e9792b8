import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedServer } from '../../sandbox/vllm/real/server-process.ts'
import { compareAnswers } from './compare/compare.ts'
import { TINY_LLAMA } from './places.ts'
import { AnswerReader } from './raw-http.ts'
import { startMock } from './servers.ts'

/** Bytes that were sent to a real server, and those that it sent until it closed the connection. */
interface Exchange {
  readonly name: string
  /** `«a × 70000»` stands for so many of that letter. */
  readonly sent: string
  readonly received: string
  readonly closes: 'at once' | 'after 5 s' | 'later'
}

const file = join(import.meta.dirname, '../../fixtures/vllm/recordings/0.32.0/connections.txt')
const exchanges = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange)

/** Milliseconds after which a connection that is idle is still open, and after which it is not. */
const OPEN_MS = 4_000
const CLOSED_MS = 6_500

describe.concurrent('a connection', () => {
  let server: StartedServer
  beforeAll(async () => {
    const args = [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048']
    server = await startMock({ vllm: '0.32.0', args, environment: {} })
  }, 60_000)
  afterAll(() => server.stop())

  it.each(exchanges)(
    'is answered as recorded, and closed when it was: $name',
    async ({ name, sent, received, closes }) => {
      const waitMs = closes === 'later' ? 2_000 : CLOSED_MS
      const got = await talk(server.port, sent, waitMs)
      if (closes === 'at once') expect(got.closedAfterMs).toBeLessThan(OPEN_MS)
      else if (closes === 'after 5 s') expect(got.closedAfterMs).toBeGreaterThan(OPEN_MS)
      expect(got.closedAfterMs === undefined).toBe(closes === 'later')
      if (!received.includes('text/event-stream')) return expect(undated(got.text)).toBe(received)
      const [one, other] = [received, got.text].map((text) => new AnswerReader('POST').read(Buffer.from(text))!)
      const [head, body] = sent.split('\r\n\r\n')
      const recording = {
        name,
        request: { method: 'POST', path: head!.split(' ')[1]!, headers: {}, body: body! },
        answer: one!,
      }
      expect(compareAnswers(recording, other!).differences).toEqual([])
    },
  )
})

const undated = (text: string) => text.replace(/(date: )[A-Z][a-z]{2}, [^\r]* GMT/gi, '$1Thu, 01 Jan 1970 00:00:00 GMT')

function talk(
  port: number,
  sent: string,
  waitMs: number,
): Promise<{ text: string; closedAfterMs: number | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const from = Date.now()
    let text = ''
    const end = (closedAfterMs: number | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closedAfterMs })
    }
    const timer = setTimeout(() => end(undefined), waitMs)
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      text += bytes.toString()
    })
    socket.on('end', () => end(Date.now() - from))
    socket.write(sent.replace(/«(.) × (\d+)»/, (_, letter: string, n: string) => letter.repeat(Number(n))))
  })
}
