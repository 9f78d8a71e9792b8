import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { binaryCache, ensureBinaries } from './binaries.ts'
import { download, NoDownload } from './download.ts'
import { ETCD_VERSION, releaseOf } from './releases.ts'

const PROGRAM = Buffer.from(`#!/bin/sh\necho Client Version: v1.36.3\n${'#'.repeat(300_000)}\n`)
const sumOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const LINUX = { platform: 'linux', arch: 'x64' }
/** Long enough for a busy machine; what waits in vain is given less. */
const LIMITS = { answerMs: 10_000, stallMs: 10_000, tries: 3 }

let folder: string
let server: Server
let listener: RequestListener
let asked: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seatrial-download-'))
  asked = []
  listener = (_, response) => response.writeHead(500).end()
  server = createServer((request, response) => {
    asked.push(`${request.url}${request.headers.range ? ` ${request.headers.range}` : ''}`)
    if (request.url?.endsWith('.sha256')) response.end(sumOf(PROGRAM))
    else listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('SEATRIAL_KUBERNETES_URL', base)
  vi.stubEnv('SEATRIAL_ETCD_URL', base)
  vi.stubEnv('SEATRIAL_DOWNLOAD', undefined)
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  vi.stubEnv('KUBEBUILDER_ASSETS', undefined)
  vi.stubEnv('PATH', '/usr/bin:/bin')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const kubectl = () => releaseOf('kubectl', '1.36.3', LINUX)!
const get = (options = {}) => download('kubectl', kubectl(), folder, { ...LIMITS, ...options })

describe('a download', () => {
  it('is there under its name, whole and executable, and told as it comes', async () => {
    listener = (_, response) => response.setHeader('content-length', PROGRAM.length).end(PROGRAM)
    const told: [number, number | undefined][] = []
    await get({ onProgress: (...one: [number, number | undefined]) => told.push(one) })
    expect(readFileSync(join(folder, 'kubectl'))).toEqual(PROGRAM)
    expect(statSync(join(folder, 'kubectl')).mode & 0o111).toBe(0o111)
    expect(told.at(-1)).toEqual([PROGRAM.length, PROGRAM.length])
    expect(readdirSync(folder)).toEqual(['kubectl'])
    expect(asked).toEqual(['/v1.36.3/bin/linux/amd64/kubectl.sha256', '/v1.36.3/bin/linux/amd64/kubectl'])
  })

  it('with a wrong checksum is refused, and nothing of it is kept', async () => {
    listener = (_, response) => response.end(`${PROGRAM}!`)
    await expect(get()).rejects.toMatchObject({
      code: 'CONTROL_PLANE_CHECKSUM',
      message: expect.stringMatching(
        /kubectl was refused: the SHA-256 of what http.* sent is [0-9a-f]{64}, and .*\.sha256 says/,
      ),
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it('that is cut off goes on where it was', async () => {
    listener = (request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': PROGRAM.length - from })
      const rest = PROGRAM.subarray(from)
      response.write(rest.subarray(0, 100_000), () => {
        if (rest.length <= 100_000) response.end()
        else setTimeout(() => response.destroy(), 20)
      })
    }
    await get()
    expect(readFileSync(join(folder, 'kubectl'))).toEqual(PROGRAM)
    expect(asked.filter((one) => one.includes('bytes=')).length).toBeGreaterThanOrEqual(3)
  })

  it('begins anew where the server knows no ranges', async () => {
    let cut = false
    listener = (_, response) => {
      response.writeHead(200, { 'content-length': PROGRAM.length })
      if (cut) return void response.end(PROGRAM)
      cut = true
      response.write(PROGRAM.subarray(0, 1_000), () => setTimeout(() => response.destroy(), 20))
    }
    await get()
    expect(readFileSync(join(folder, 'kubectl'))).toEqual(PROGRAM)
  })

  it.each<[string, RequestListener, RegExp, object?]>([
    ['is not there', (_, response) => response.writeHead(404).end(), /kubectl answered 404/],
    [
      'always ends at once',
      (_, response) => void response.writeHead(200, { 'content-length': PROGRAM.length }).end(),
      /./,
    ],
    [
      'stalls',
      (_, response) => void response.writeHead(200, { 'content-length': PROGRAM.length }).write('#'),
      /nothing came for 0.3 s/,
      { stallMs: 300 },
    ],
    ['is never answered', () => {}, /no answer within 0.5 s/, { answerMs: 500 }],
  ])('that %s is given up, with why', async (_, how, why, limits) => {
    listener = how
    const failed = get(limits)
    await expect(failed).rejects.toBeInstanceOf(NoDownload)
    await expect(failed).rejects.toThrow(why)
    expect(readdirSync(folder)).toEqual([])
  })

  it('is given up at once where nobody listens', async () => {
    vi.stubEnv('SEATRIAL_KUBERNETES_URL', 'http://127.0.0.1:9')
    await expect(get()).rejects.toThrow(/127\.0\.0\.1:9.*(ECONNREFUSED|bad port)/)
  })

  it('of etcd is taken out of its archive', async () => {
    const name = `etcd-v${ETCD_VERSION}-linux-amd64`
    mkdirSync(join(folder, 'made', name), { recursive: true })
    writeFileSync(join(folder, 'made', name, 'etcd'), PROGRAM)
    const archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'made'), name])
    listener = (request, response) =>
      response.end(
        request.url?.endsWith('SHA256SUMS') ? `${'0'.repeat(64)}  other\n${sumOf(archive)}  ${name}.tar.gz\n` : archive,
      )
    await download('etcd', releaseOf('etcd', '1.36.3', LINUX)!, folder, LIMITS)
    expect(readFileSync(join(folder, 'etcd'))).toEqual(PROGRAM)
  })
})

describe('releases', () => {
  it('of servers are for Linux alone', () => {
    expect(releaseOf('kube-apiserver', '1.36.3', { platform: 'darwin', arch: 'arm64' })).toBeUndefined()
    expect(releaseOf('kubectl', '1.36.3', { platform: 'darwin', arch: 'arm64' })?.url).toMatch(
      /darwin\/arm64\/kubectl$/,
    )
    expect(releaseOf('kubectl', '1.36.3', { platform: 'linux', arch: 'ia32' })).toBeUndefined()
  })
})

describe('programs that are missing', () => {
  it.runIf(process.platform === 'linux')('are downloaded once where several want them at once', async () => {
    listener = (_, response) => setTimeout(() => response.end(PROGRAM), 100)
    const all = await Promise.all(Array.from({ length: 3 }, () => ensureBinaries(['kubectl'], '1.36.3', LIMITS)))
    expect(new Set(all.map(({ kubectl }) => kubectl))).toEqual(new Set([join(binaryCache(), 'kubectl')]))
    expect(asked).toHaveLength(2)
    expect(readdirSync(binaryCache())).toEqual(['kubectl'])
  })

  it('are said to be missing, and why, where there is no Go either', async () => {
    listener = (_, response) => response.writeHead(404).end()
    await expect(ensureBinaries(['kubectl'], '1.36.3', LIMITS)).rejects.toMatchObject({
      code: 'CONTROL_PLANE_MISSING',
      message: expect.stringMatching(/cannot be downloaded \(.*404.*no Go to build them/),
    })
  })

  it('are not downloaded where that is off', async () => {
    vi.stubEnv('SEATRIAL_DOWNLOAD', 'off')
    await expect(ensureBinaries(['kubectl'], '1.36.3', LIMITS)).rejects.toThrow(/SEATRIAL_DOWNLOAD is off/)
    expect(asked).toEqual([])
  })
})
