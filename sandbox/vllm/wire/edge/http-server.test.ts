import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Handler } from '../http.ts'
import { json } from '../router/answers.ts'
import { App } from '../router/app.ts'
import type { Method, Route } from '../router/route.ts'
import { servingWith } from '../router/test-kit.ts'
import { HttpServer } from './http-server.ts'

const route = (path: string, method: Method, handler: Handler): Route => ({
  path,
  methods: [method],
  handler: () => handler,
})
const left: string[] = []
const ROUTES = [
  route('/version', 'GET', (_request, reply) => {
    reply.whole(json({ version: '0.32.0' }))
    return undefined
  }),
  route('/echo', 'POST', ({ body }, reply) => {
    reply.whole({ status: 200, body: `${body.length}` })
    return undefined
  }),
  route('/stream', 'POST', (_request, reply) => {
    const answer = reply.stream('text/event-stream; charset=utf-8')
    answer.write('data: 1\n\n')
    answer.write('data: ü\n\n')
    setImmediate(() => {
      answer.write('data: [DONE]\n\n')
      answer.end()
    })
    return undefined
  }),
  route('/hang', 'POST', (_request, reply) => {
    reply.stream('text/event-stream').write('data: 1\n\n')
    return () => left.push('hang')
  }),
]

const lines: string[] = []
const app = new App({ serving: servingWith({}), routes: ROUTES })
const server = new HttpServer({
  app,
  unixMs: () => Date.UTC(2026, 10, 21, 23, 34, 23),
  keepAliveSeconds: 0.2,
  log: (line) => lines.push(line),
})
let port: number

beforeAll(async () => {
  port = await server.listen(0, '127.0.0.1')
})
afterAll(() => server.destroy())

/** Sends bytes; what came back by the time the server closed. */
async function raw(text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let got = ''
  for await (const part of socket) got += part
  return got
}

const HEAD = 'date: Sat, 21 Nov 2026 23:34:23 GMT\r\nserver: uvicorn\r\n'
const close = 'Host: a\r\nConnection: close\r\n'

it('answers byte for byte as uvicorn does', async () => {
  expect(await raw(`GET /%76ersion?x=1 HTTP/1.1\r\n${close}\r\n`)).toBe(
    `HTTP/1.1 200 OK\r\n${HEAD}content-length: 20\r\ncontent-type: application/json\r\nvary: Origin\r\nconnection: close\r\n\r\n{"version":"0.32.0"}`,
  )
  expect(lines.at(-1)).toMatch(/^INFO: {5}127\.0\.0\.1:\d+ - "GET \/version\?x=1 HTTP\/1\.1" 200 OK$/)
})

it('keeps an idle connection without a word about it, for as long as it is told', async () => {
  const began = performance.now()
  const answer = await raw('GET /version HTTP/1.1\r\n\r\n')
  expect(performance.now() - began).toBeGreaterThan(190)
  expect(answer).not.toMatch(/keep-alive|connection/i)
})

it('closes after HTTP/1.0, whatever that asks', async () => {
  expect(await raw('GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')).toContain(
    'HTTP/1.1 200 OK\r\n' +
      HEAD +
      'content-length: 20\r\ncontent-type: application/json\r\nvary: Origin\r\nconnection: close\r\n',
  )
})

it.each([
  'hello\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  'FOO / HTTP/1.1\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\n\r\n',
  'POST /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n',
])('calls %j no HTTP request', async (request) => {
  expect(await raw(request)).toBe(
    `HTTP/1.1 400 Bad Request\r\n${HEAD}content-type: text/plain; charset=utf-8\r\ncontent-length: 30\r\nconnection: close\r\n\r\nInvalid HTTP request received.`,
  )
})

it('frames each event as a chunk of its own', async () => {
  const answer = await raw(`POST /stream HTTP/1.1\r\n${close}Content-Length: 2\r\n\r\n{}`)
  expect(answer).toBe(
    `HTTP/1.1 200 OK\r\n${HEAD}content-type: text/event-stream; charset=utf-8\r\nvary: Origin\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n` +
      '9\r\ndata: 1\n\n\r\na\r\ndata: ü\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n',
  )
})

it('answers pipelined requests in their order, streams too', async () => {
  const one = 'POST /stream HTTP/1.1\r\nContent-Length: 0\r\n\r\n'
  const answer = await raw(`${one}${one}GET /version HTTP/1.1\r\n${close}\r\n`)
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
  expect(answer.match(/data: \[DONE\]\n\n\r\n0\r\n\r\n/g)).toHaveLength(2)
  expect(answer.indexOf('0.32.0')).toBeGreaterThan(answer.lastIndexOf('[DONE]'))
})

it('reads chunked bodies, and says 100 before it reads one that waits for it', async () => {
  const chunked = await raw(`POST /echo HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`)
  expect(chunked).toMatch(/\r\n\r\n3$/)
  const expecting = `${close}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`
  expect(await raw(`POST /echo HTTP/1.1\r\n${expecting}`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
  expect(await raw(`POST /nope HTTP/1.1\r\n${expecting}`)).toMatch(/^HTTP\/1\.1 404 Not Found/)
})

it('answers HEAD without a body, and a websocket in the words of its library', async () => {
  expect(await raw(`HEAD /version HTTP/1.1\r\n${close}\r\n`)).toMatch(/content-length: 31\r\n[^{]*\r\n\r\n$/)
  const upgrade = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  expect(await raw(`GET /v1/realtime HTTP/1.1\r\n${upgrade}`)).toMatch(
    /^HTTP\/1\.1 403 Forbidden\r\nDate: .*\r\nConnection: close\r\nContent-Length: 0\r\nContent-Type: text\/plain; charset=utf-8\r\n\r\n$/,
  )
  expect(await raw(`GET /version HTTP/1.1\r\n${close}Upgrade: h2c\r\n\r\n`)).toContain('"0.32.0"')
})

it('tells the handler that its client has left', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /hang HTTP/1.1\r\nContent-Length: 0\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  socket.destroy()
  for (let i = 0; i < 100 && left.length === 0; i++) await delay(5)
  expect(left).toEqual(['hang'])
})

it('closes idle connections and refuses new ones, and waits for answers under way', async () => {
  const own = new HttpServer({ app, unixMs: () => 0, keepAliveSeconds: 60, log: () => undefined })
  const at = await own.listen(0, '127.0.0.1')
  const idle = connect(at, '127.0.0.1')
  idle.write('GET /version HTTP/1.1\r\n\r\n')
  await new Promise((resolve) => idle.once('data', resolve))
  const busy = connect(at, '127.0.0.1')
  busy.write('POST /hang HTTP/1.1\r\nContent-Length: 0\r\n\r\n')
  await new Promise((resolve) => busy.once('data', resolve))
  let empty = false
  own.close(() => {
    empty = true
  })
  await new Promise((resolve) => idle.once('close', resolve))
  expect(empty).toBe(false)
  await expect(new Promise((_resolve, reject) => connect(at, '127.0.0.1').once('error', reject))).rejects.toThrow(
    'ECONNREFUSED',
  )
  busy.destroy()
  for (let i = 0; i < 100 && !empty; i++) await delay(5)
  expect(empty).toBe(true)
})
