import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../world/clock.ts'
import { Exposition } from '../../server/exposition.ts'
import { FrontEnd } from '../../server/front-end.ts'
import type { RunnableServer } from '../../server/resolve.ts'
import { resolveLine } from '../../server/test-kit.ts'
import type { Header, WholeAnswer, WireRequest } from '../http.ts'
import type { Serving } from '../serving.ts'
import { metricsRoutes } from './metrics.ts'

/** What the route answers: `[exact]` GET /metrics, `[mounted]` everything else that begins so. */
function ask(mounted: boolean, headers: Readonly<Record<string, string>> = {}, query = '') {
  const server = resolveLine('facebook/opt-125m -dp 2', 2) as RunnableServer
  const clock = new VirtualClock()
  const { engines } = new FrontEnd(clock, server)
  const metrics = new Exposition(clock, server, { engines: () => engines })
  const route = metricsRoutes.find(({ mount }) => (mount === true) === mounted)!
  const request = { headers: new Map(Object.entries(headers)), query: new URLSearchParams(query) } as unknown
  const told: { whole?: WholeAnswer; type?: string; headers?: readonly Header[]; chunks: (string | Uint8Array)[] } = {
    chunks: [],
  }
  route.handler({ metrics } as unknown as Serving)(request as WireRequest, {
    whole: (answer) => {
      told.whole = answer
    },
    stream: (type, more) => {
      Object.assign(told, { type, headers: more })
      return { write: (chunk) => told.chunks.push(chunk), end: () => told.chunks.push('end'), cut: () => undefined }
    },
  })
  return told
}

describe('GET /metrics', () => {
  it('is the whole text whatever is asked for', () => {
    const asked = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' }
    const { whole } = ask(false, asked, 'name[]=vllm:num_requests_running')
    expect(whole).toMatchObject({ status: 200, contentType: 'text/plain; version=1.0.0; charset=utf-8' })
    expect(whole!.body).toBe(ask(false).whole!.body)
    expect(whole!.body).toMatch(/^# HELP python_gc_objects_collected_total /)
  })
})

describe('the application mounted beside it', () => {
  it('answers in one chunk, of the old format where none is asked for', () => {
    const { type, headers, chunks } = ask(true)
    expect([type, headers]).toEqual(['text/plain; version=0.0.4; charset=utf-8', []])
    expect(chunks).toEqual([ask(false).whole!.body, 'end'])
  })

  it('negotiates format, compression and names', () => {
    const asked = { accept: 'application/openmetrics-text', 'accept-encoding': 'br;q=1, GZIP;q=0.5' }
    const { type, headers, chunks } = ask(true, asked, 'name[]=vllm:prompt_tokens_total&name[]=')
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(headers).toEqual([['content-encoding', 'gzip']])
    expect(gunzipSync(chunks[0] as Uint8Array).toString()).toBe(
      '# HELP vllm:prompt_tokens Number of prefill tokens processed.\n# TYPE vllm:prompt_tokens counter\n' +
        'vllm_prompt_tokens_total{engine="0",model_name="facebook/opt-125m"} 0.0\n' +
        'vllm_prompt_tokens_total{engine="1",model_name="facebook/opt-125m"} 0.0\n# EOF\n',
    )
  })

  it('has nothing of names that are not', () => {
    expect(ask(true, {}, 'name[]=nothing').chunks).toEqual(['', 'end'])
    expect(ask(true, {}, 'name[]=').chunks[0]).toBe(ask(false).whole!.body)
  })
})
