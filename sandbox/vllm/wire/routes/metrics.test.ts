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

function serverOf(dataParallel: number) {
  const server = resolveLine(`facebook/opt-125m -dp ${dataParallel}`, dataParallel) as RunnableServer
  const clock = new VirtualClock()
  const { engines } = new FrontEnd(clock, server)
  return { clock, engines, metrics: new Exposition(clock, server, { engines: () => engines }) }
}

/** What the route answers: `[exact]` GET /metrics, `[mounted]` everything else that begins so. */
function ask(mounted: boolean, headers: Readonly<Record<string, string>> = {}, query = '') {
  const { metrics } = serverOf(2)
  const route = metricsRoutes.find(({ mount }) => (mount === true) === mounted)!
  const request = { headers: new Map(Object.entries(headers)), query: new URLSearchParams(query) } as unknown
  const told: { whole?: WholeAnswer; type?: string; headers?: readonly Header[]; chunks: (string | Uint8Array)[] } = {
    chunks: [],
  }
  route.handler({ metrics } as unknown as Serving)(request as WireRequest, {
    whole: (answer) => {
      told.whole = answer
    },
    stream: (type, _, late) => {
      Object.assign(told, { type, headers: late })
      return { write: (chunk) => told.chunks.push(chunk), end: () => told.chunks.push('end'), cut: () => undefined }
    },
  })
  return told
}

describe('GET /metrics', () => {
  it('of eight engines that have worked takes less than 10 ms', () => {
    const { clock, engines, metrics } = serverOf(8)
    for (const [e, engine] of engines.entries())
      for (let i = 0; i < 100; i++)
        engine.submit({ id: `${e}-${i}`, promptTokens: 100 + i, outputTokens: 10 + i * 3 }, {})
    clock.runUntil(1e9)
    const handler = metricsRoutes[0]!.handler({ metrics } as unknown as Serving)
    let bytes = 0
    const took = Array.from({ length: 20 }, () => {
      const start = performance.now()
      handler({} as WireRequest, {
        whole: ({ body }) => {
          bytes = body.length
        },
        stream: () => expect.fail('it is whole'),
      })
      return performance.now() - start
    })
    expect(bytes).toBeGreaterThan(250_000)
    // the quickest: other tests run beside this one
    expect(Math.min(...took)).toBeLessThan(10)
  })

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
