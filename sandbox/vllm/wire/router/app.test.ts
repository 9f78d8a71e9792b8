import { expect, it } from 'vitest'
import { WireError } from '../errors.ts'
import type { Handler, StreamedAnswer } from '../http.ts'
import { json } from './answers.ts'
import type { Route } from './route.ts'
import { AppUnderTest, servingWith } from './test-kit.ts'

const says =
  (value: unknown): Handler =>
  (_request, reply) => {
    reply.whole(json(value))
    return undefined
  }
const route = (path: string, methods: Route['methods'], handler: Handler, rest: Partial<Route> = {}): Route => ({
  path,
  methods,
  handler: () => handler,
  ...rest,
})

const ROUTES = [
  route('/health', ['GET'], says('well')),
  route('/v1/models', ['GET'], says('models')),
  route('/v1/responses/{response_id}', ['GET'], (request, reply) => {
    reply.whole(json(request.params))
    return undefined
  }),
  route('/ping', ['GET'], says('ping')),
  route('/ping', ['POST'], says('pinged')),
]

const app = (flags = {}, routes: readonly Route[] = ROUTES) => new AppUnderTest(servingWith({ flags }), routes)

it('answers with the length, the type and vary, in this order', () => {
  const { status, headers, body } = app().send('GET', '/health')
  expect([status, body]).toEqual([200, '"well"'])
  expect(headers).toEqual([
    ['content-length', '6'],
    ['content-type', 'application/json'],
    ['vary', 'Origin'],
  ])
})

it.each([
  ['GET', '/nope', 404],
  ['DELETE', '/nope', 404],
  ['GET', '//health', 404],
  ['PUT', '/health', 405],
  ['HEAD', '/health', 405],
  ['PUT', '/ping', 405],
  ['POST', '/ping', 200],
  ['GET', '/v1/responses/a', 200],
  ['GET', '/v1/responses/a/b', 404],
  ['GET', '/health/', 307],
])('%s %s is %d', (method, target, status) => {
  expect(app().send(method, target).status).toBe(status)
})

it('says what a path allows, and where it is with the other slash', () => {
  expect(app().send('PUT', '/ping').headers[0]).toEqual(['allow', 'GET'])
  expect(app().send('GET', '/health/?a=1').headers).toEqual([
    ['content-length', '0'],
    ['location', 'http://server:8000/health?a=1'],
    ['vary', 'Origin'],
  ])
})

it('guards paths by their beginning, before it looks whether they are there', () => {
  const guarded = app({ apiKeys: ['sk-a', 'sk-b'], enableRequestIdHeaders: true })
  const refused = guarded.send('GET', '/v1nope', { headers: { 'x-request-id': 'mine' } })
  expect([refused.status, refused.body]).toEqual([401, '{"error":"Unauthorized"}'])
  expect(refused.headers.slice(2)).toEqual([['x-request-id', 'mine']])
  expect(guarded.send('GET', '/health').status).toBe(200)
  expect(guarded.send('OPTIONS', '/v1/models').status).toBe(405)
  for (const authorization of ['Bearer sk-b', 'bEARER sk-a'])
    expect(guarded.send('GET', '/v1/models', { headers: { authorization } }).status).toBe(200)
  for (const authorization of ['sk-a', 'Bearer  sk-a', 'Basic sk-a', 'Bearer sk-c', 'Bearer'])
    expect(guarded.send('GET', '/v1/models', { headers: { authorization } }).status).toBe(401)
})

it('turns preflight requests away unless an origin is allowed', () => {
  const headers = { origin: 'http://a', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x' }
  const refused = app().send('OPTIONS', '/health', { headers })
  expect([refused.status, refused.body]).toEqual([400, 'Disallowed CORS origin'])
  const allowing = app({ cors: { origins: ['*'], methods: ['*'], headers: ['*'], credentials: false } })
  expect(allowing.send('OPTIONS', '/health', { headers }).body).toBe('OK')
  expect(allowing.send('GET', '/health', { headers: { origin: 'http://a' } }).headers.slice(2)).toEqual([
    ['access-control-allow-origin', '*'],
    ['vary', 'Origin'],
  ])
})

it('answers what handlers throw: refusals in good form, all else outside the middleware', () => {
  const throwing = (error: Error) =>
    app({ enableRequestIdHeaders: true }, [
      route('/x', ['GET'], () => {
        throw error
      }),
    ]).send('GET', '/x')
  const refused = throwing(new WireError(404, 'NotFoundError', 'not there', 'model'))
  expect(refused.body).toBe('{"error":{"message":"not there","type":"NotFoundError","param":"model","code":404}}')
  expect(refused.headers.map(([name]) => name)).toEqual(['content-length', 'content-type', 'vary', 'x-request-id'])
  const broken = throwing(new Error('no such thing'))
  expect(broken.status).toBe(500)
  expect(broken.headers.map(([name]) => name)).toEqual(['content-length', 'content-type'])
})

it('logs a model that a chat asks for in vain, and what nothing has caught', () => {
  const logged: unknown[] = []
  const chat = (error: Error) => {
    const serving = servingWith({ log: ({ where, text }) => logged.push([where, text]) })
    const throwing = route('/v1/chat/completions', ['POST'], () => {
      throw error
    })
    new AppUnderTest(serving, [throwing]).send('POST', '/v1/chat/completions')
  }
  chat(new WireError(400, 'BadRequestError', 'no', 'n'))
  chat(new WireError(404, 'NotFoundError', 'The model `x` does not exist.', 'model'))
  chat(new Error('broken'))
  expect(logged).toEqual([
    [
      'serving.py:274',
      "Error with model error=ErrorInfo(message='The model `x` does not exist.', type='NotFoundError', param='model', code=404)",
    ],
    [undefined, 'ERROR:    Exception in ASGI application\nError: broken'],
  ])
})

it('counts a request once, a stream when it ends or is left, and load meanwhile', () => {
  let stream: StreamedAnswer | undefined
  const serving = servingWith({ flags: { enableServerLoadTracking: true } })
  const streaming = route(
    '/s',
    ['POST'],
    (_request, reply) => {
      stream = reply.stream('text/event-stream')
      return () => undefined
    },
    { counted: true },
  )
  const under = new AppUnderTest(serving, [streaming])
  under.send('POST', '/s')
  expect([serving.load.requests, under.counted.length]).toEqual([1, 0])
  stream!.end()
  under.send('POST', '/s').leave()
  stream!.end()
  under.send('GET', '/nope')
  expect(serving.load.requests).toBe(0)
  expect(under.counted.map(({ handler, status }) => [handler, status])).toEqual([
    ['/s', 200],
    ['/s', 200],
    [undefined, 404],
  ])
})
