import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiserverFlags, createPki, FRONT_PROXY_CLIENT, type Pki } from './pki.ts'

describe('the certificates of a sandbox', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pki-test-'))
  let pki: Pki
  beforeAll(async () => {
    pki = await createPki(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Asks a server that hears the proxy alone; the common name it saw, or why there was no answer. */
  async function ask(name: string, client?: { cert: string; key: string }): Promise<string> {
    const { cert, key } = await pki.serving(['metrics.example.svc', '127.0.0.1'])
    const options = { cert, key, ca: pki.frontProxyCa, requestCert: true, rejectUnauthorized: true }
    const server = createServer(options, (asked, answer) => {
      answer.end((asked.socket as TLSSocket).getPeerCertificate().subject.CN)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const said = await new Promise<string>((resolve) => {
      const sent = request(
        { host: '127.0.0.1', port, servername: name, ca: pki.ca, agent: false, ...client },
        (answer) => answer.setEncoding('utf8').on('data', resolve),
      )
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      sent.end()
    })
    await new Promise((resolve) => server.close(resolve))
    return said
  }
  const pair = (name: 'front-proxy-client' | 'apiserver-kubelet-client') => ({
    cert: readFileSync(pki.files[`${name}.crt`], 'utf8'),
    key: readFileSync(pki.files[`${name}.key`], 'utf8'),
  })

  it('let the proxy in, by the name of the server', async () => {
    expect(await ask('metrics.example.svc', pair('front-proxy-client'))).toBe(FRONT_PROXY_CLIENT)
    expect(await ask('other.example.svc', pair('front-proxy-client'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('let nobody else in', async () => {
    const refused = /SSL|ECONNRESET/
    expect(await ask('metrics.example.svc')).toMatch(refused)
    expect(await ask('metrics.example.svc', pair('apiserver-kubelet-client'))).toMatch(refused)
  })

  it('are files only their owner reads, all of which flags name', () => {
    for (const path of Object.values(pki.files)) {
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(apiserverFlags(pki)).toContain(path)
    }
  })
})
