import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { errorOf, openRest } from './rest.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const kubeconfig = (url: string) =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  })

async function serve(
  answer: (n: number, url: string) => { code: number; body: string; headers?: Record<string, string> },
) {
  const seen: { url?: string; method?: string; type?: string; authorization?: string }[] = []
  server = createServer((request, response) => {
    const { url, method, headers } = request
    seen.push({ url, method, type: headers['content-type'], authorization: headers.authorization })
    const { code, body, headers: more } = answer(seen.length, url ?? '')
    response.writeHead(code, { 'content-type': 'application/json', ...more }).end(body)
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  const rest = await openRest({ kubeconfig: kubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) })
  return { rest, seen }
}

it('maps Status bodies to ApiErrors, and other bodies by their code', () => {
  const status = { kind: 'Status', reason: 'AlreadyExists', message: 'pods "a" already exists', code: 409 }
  expect(errorOf(409, JSON.stringify(status))).toMatchObject({
    ...{ code: 409, reason: 'AlreadyExists', message: 'pods "a" already exists' },
  })
  expect(errorOf(502, '<html>bad gateway')).toMatchObject({ code: 502, reason: 'InternalError' })
  expect(errorOf(500, { code: 410, reason: 'Gone', message: 'too old' })).toMatchObject({
    code: 410,
    reason: 'Expired',
  })
})

it('sends the token and merge patches', async () => {
  const { rest, seen } = await serve(() => ({ code: 200, body: '{"ok":true}' }))
  expect(await rest.send({ method: 'PATCH', path: '/x', body: { a: null }, process: 'test' })).toEqual({ ok: true })
  expect(seen).toEqual([
    { url: '/x', method: 'PATCH', type: 'application/merge-patch+json', authorization: 'Bearer secret' },
  ])
})

it('asks again when the server says when', async () => {
  const { rest, seen } = await serve((n) =>
    n === 1 ? { code: 429, body: '{}', headers: { 'retry-after': '0.01' } } : { code: 200, body: '{"n":2}' },
  )
  expect(await rest.send({ method: 'GET', path: '/x', process: 'test' })).toEqual({ n: 2 })
  expect(seen).toHaveLength(2)
})

it('gives a watch’s events one by one, however the bytes are cut', async () => {
  const { rest } = await serve(() => ({
    code: 200,
    body: '{"type":"ADDED","object":{"n":1}}\n{"type":"MODIFIED","object":{"n":2}}\n',
  }))
  const events: unknown[] = []
  await rest.watch('/x?watch=1', new AbortController().signal, (event) => events.push(event))
  expect(events).toEqual([
    { type: 'ADDED', object: { n: 1 } },
    { type: 'MODIFIED', object: { n: 2 } },
  ])
})

it('says when nobody answers', async () => {
  const rest = await openRest({ kubeconfig: kubeconfig('http://127.0.0.1:1') })
  await expect(rest.send({ method: 'GET', path: '/', process: 'test' })).rejects.toMatchObject({
    code: 0,
    reason: 'Unreachable',
    message: expect.stringContaining('no answer from http://127.0.0.1:1'),
  })
})
