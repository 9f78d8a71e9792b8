import type { RandomStream } from '../../../sandbox/world/random.ts'
import type { RecordedRequest } from '../compare/recording.ts'
import { requestBytes } from '../raw-http.ts'
import { fuzzedBody } from './bodies.ts'

/** What a client does to a server. */
export interface FuzzCase {
  readonly kind: 'whole' | 'garbled' | 'truncated' | 'abandoned' | 'slow' | 'pipelined'
  readonly method: string
  readonly bytes: Buffer
  /** `abandoned`: bytes of the answer after which the client leaves; `slow`: milliseconds for which it reads nothing. */
  readonly after: number
}

const pick = <T>(random: RandomStream, of: readonly T[]): T => of[random.int(of.length)]!

const POSTS = [
  '/v1/chat/completions',
  '/v1/chat/completions',
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/completions',
  '/tokenize',
  '/detokenize',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/chat/completions/batch',
  '/invocations',
]
const GETS = [
  '/health',
  '/version',
  '/v1/models',
  '/load',
  '/metrics',
  '/metrics/',
  '/ping',
  '/nope',
  '/docs',
  '/v1/models/',
  '/%00',
  '/..%2f',
  '//',
  '/?',
]
const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'FOO', 'get']
const TYPES = [
  'application/json',
  'application/json',
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  '',
  'application/x-www-form-urlencoded',
  'Application/JSON ;x',
]

/** The `i`-th thing that clients of this stream of chance do. */
export function fuzzCase(random: RandomStream): FuzzCase {
  const request = fuzzedRequest(random)
  const bytes = requestBytes(request, 'fuzz')
  const { method } = request
  switch (random.int(20)) {
    case 0:
      return {
        kind: 'truncated',
        method,
        bytes: bytes.subarray(0, 1 + random.int(bytes.length)),
        after: random.int(30),
      }
    case 1:
      return { kind: 'garbled', method, bytes: garbled(bytes, random), after: 0 }
    case 2:
      return { kind: 'abandoned', method, bytes: longStream(random), after: random.int(2_000) }
    case 3:
      return { kind: 'slow', method, bytes: longStream(random), after: 20 + random.int(150) }
    case 4:
      return {
        kind: 'pipelined',
        method,
        bytes: Buffer.concat([bytes, requestBytes(fuzzedRequest(random), 'fuzz')]),
        after: 0,
      }
    default:
      return { kind: 'whole', method, bytes, after: 0 }
  }
}

/** A request of which a part is often odd. */
export function fuzzedRequest(random: RandomStream): RecordedRequest {
  if (random.int(5) > 0) {
    const path = pick(random, POSTS)
    return { method: 'POST', path, headers: fuzzedHeaders(random), body: fuzzedBody(path, random) }
  }
  const path = pick(random, [...GETS, ...POSTS])
  return { method: pick(random, METHODS), path, headers: random.int(3) === 0 ? fuzzedHeaders(random) : {} }
}

function fuzzedHeaders(random: RandomStream): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': random.int(8) > 0 ? 'application/json' : pick(random, TYPES),
  }
  const more: readonly (readonly [string, string])[] = [
    ['X-Request-Id', pick(random, ['', 'a', 'x'.repeat(5_000), 'é'])],
    ['Authorization', pick(random, ['Bearer x', 'Basic', ''])],
    ['X-Vllm-Priority', pick(random, ['1', 'x', '99999999999999999999'])],
    ['X-data-parallel-rank', pick(random, ['0', '1', 'x'])],
    ['endpoint-load-metrics-format', pick(random, ['TEXT', 'JSON', 'x'])],
    ['Connection', pick(random, ['close', 'keep-alive', 'upgrade'])],
    ['Expect', '100-continue'],
    ['Origin', 'http://a.example'],
    ['X-Long', 'y'.repeat(random.int(20_000))],
    ['Accept-Encoding', 'gzip'],
    ['Accept', pick(random, ['*/*', 'application/openmetrics-text; version=1.0.0'])],
  ]
  for (let i = random.int(3); i > 0; i--) {
    const [name, value] = pick(random, more)
    headers[name] = value
  }
  return headers
}

/** Some bytes are others, or gone, or there twice. */
function garbled(bytes: Buffer, random: RandomStream): Buffer {
  const copy = [...bytes]
  for (let i = 1 + random.int(8); i > 0; i--) {
    const at = random.int(copy.length)
    const how = random.int(3)
    if (how === 0) copy[at] = random.int(256)
    else if (how === 1) copy.splice(at, 1 + random.int(10))
    else copy.splice(at, 0, ...copy.slice(at, at + random.int(20)))
    if (copy.length === 0) return Buffer.from('\r\n')
  }
  return Buffer.from(copy)
}

/** A stream that takes a while. */
function longStream(random: RandomStream): Buffer {
  const chat = random.int(2) === 0
  const body = {
    ...(chat ? { messages: [{ role: 'user', content: 'Hello' }] } : { prompt: 'Hello' }),
    max_tokens: 100 + random.int(400),
    ignore_eos: true,
    stream: random.int(4) > 0,
    n: 1 + random.int(3),
    temperature: 1,
  }
  const path = chat ? '/v1/chat/completions' : '/v1/completions'
  return requestBytes(
    { method: 'POST', path, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
    'fuzz',
  )
}
