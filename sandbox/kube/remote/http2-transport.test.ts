import { mkdtempSync, rmSync } from 'node:fs'
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createPki, type Pki } from '../../tiers/control-plane/pki.ts'
import { openRest, type Rest, type WatchEvent } from './rest.ts'

const folder = mkdtempSync(join(tmpdir(), 'http2-test-'))
let pki: Pki
let server: Server
const sessions: ServerHttp2Session[] = []
const asked: { version: string; path: string; agent: string | undefined; authorization: string | undefined }[] = []

beforeAll(async () => {
  pki = await createPki(folder)
})
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy()
  server.close()
  asked.length = 0
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A server that answers with what it was sent; a watch stays open, and one answer is cut off. */
async function serve(options: { http2: boolean; yaml?: boolean } = { http2: true }): Promise<Rest> {
  const { cert, key } = await pki.serving(['127.0.0.1'])
  server = options.http2
    ? createSecureServer({ cert, key }, answer)
    : createServer({ cert, key }, (request, response) =>
        answer(request as unknown as Http2ServerRequest, response as unknown as Http2ServerResponse),
      )
  server.on('session', (session) => sessions.push(session))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kubeconfig = JSON.stringify({
    clusters: [
      { name: 'c', cluster: { server: url, 'certificate-authority-data': Buffer.from(pki.ca).toString('base64') } },
    ],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  })
  // in YAML it is for the Kubernetes client to read
  return openRest({ kubeconfig: options.yaml ? `# a comment\n${kubeconfig}` : kubeconfig })
}

function answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const { httpVersion: version, url: path, headers } = request
  asked.push({ version, path, agent: headers['user-agent'], authorization: headers.authorization })
  response.writeHead(200, { 'content-type': 'application/json' })
  if (path.includes('watch=1')) {
    response.write('{"type":"ADDED","object":{"n":1}}\n{"type":"MOD')
    setTimeout(() => response.write('IFIED","object":{"n":2}}\n'), 5)
    return
  }
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    text += chunk
  })
  request.on('end', () => response.end(path === '/cut' ? '{"got' : `{"got":${text || null}}`))
}

const put = (rest: Rest, n: number) =>
  rest.send({ method: 'PUT', path: `/${n}`, body: { n, text: 'ä'.repeat(n) }, process: 'test' })

it('sends everything over one connection, bodies of any length', async () => {
  const rest = await serve()
  const sizes = [1, 70_000, 1_000_000]
  expect(await Promise.all(sizes.map((n) => put(rest, n)))).toEqual(
    sizes.map((n) => ({ got: { n, text: 'ä'.repeat(n) } })),
  )
  expect(sessions).toHaveLength(1)
  expect(asked[0]).toEqual({ version: '2.0', path: '/1', agent: 'seatrial/test', authorization: 'Bearer secret' })
})

it('gives up a watch when it is told to', async () => {
  const rest = await serve()
  const abort = new AbortController()
  const events: WatchEvent[] = []
  const watched = rest.watch('/x?watch=1', abort.signal, (event) => {
    if (events.push(event) === 2) abort.abort()
  })
  await watched.catch(() => {})
  expect(events).toEqual([
    { type: 'ADDED', object: { n: 1 } },
    { type: 'MODIFIED', object: { n: 2 } },
  ])
  expect(await put(rest, 1)).toEqual({ got: { n: 1, text: 'ä' } })
})

it('reads the server and the token of any kubeconfig', async () => {
  const rest = await serve({ http2: true, yaml: true })
  expect(await put(rest, 1)).toEqual({ got: { n: 1, text: 'ä' } })
  expect(asked).toMatchObject([{ version: '2.0', authorization: 'Bearer secret' }])
})

it('connects anew when the connection is lost', async () => {
  const rest = await serve()
  await rest.watch('/x?watch=1', new AbortController().signal, () => sessions[0]!.destroy()).catch(() => {})
  expect(await put(rest, 2)).toEqual({ got: { n: 2, text: 'ää' } })
  expect(sessions).toHaveLength(2)
})

it('says when an answer broke off, or nobody answers', async () => {
  const rest = await serve()
  const ask = () => rest.send({ method: 'GET', path: '/cut', process: 'test' })
  await expect(ask()).rejects.toMatchObject({ code: 0, reason: 'Unreachable' })
  for (const session of sessions) session.destroy()
  await new Promise((resolve) => server.close(resolve))
  await expect(ask()).rejects.toMatchObject({ code: 0, message: expect.stringContaining('ECONNREFUSED') })
})

it('speaks HTTP/1.1 to a server that speaks nothing else', async () => {
  const rest = await serve({ http2: false })
  expect(await put(rest, 1)).toEqual({ got: { n: 1, text: 'ä' } })
  expect(asked.map(({ version }) => version)).toEqual(['1.1'])
})
