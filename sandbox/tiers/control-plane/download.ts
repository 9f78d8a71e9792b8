import { execFile } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { PART } from './cache.ts'
import { ControlPlaneError } from './errors.ts'
import { ownedName } from './owned-names.ts'
import type { Program, Release } from './releases.ts'

export interface DownloadOptions {
  /** Until the server answers. */
  readonly answerMs?: number
  /** How long nothing may come while it sends. */
  readonly stallMs?: number
  readonly tries?: number
  /** Bytes that are here, of how many where that is known. */
  readonly onProgress?: (bytes: number, total: number | undefined) => void
}

/** It cannot be downloaded here and now; it may be had in another way. */
export class NoDownload extends Error {}

const run = promisify(execFile)
const DEFAULTS = { answerMs: 4_000, stallMs: 20_000, tries: 4 }

/**
 * Downloads a program into a folder, where it appears under its name only when it is whole and its checksum is the published one. What was cut
 * short goes on where it was. Fails with NoDownload, or with `ControlPlaneError` CONTROL_PLANE_CHECKSUM, which nothing may pass over.
 */
export async function download(
  program: Program,
  release: Release,
  folder: string,
  options: DownloadOptions = {},
): Promise<void> {
  const limits = { ...DEFAULTS, ...options }
  const published = await publishedChecksum(release, limits)
  const work = join(folder, `${ownedName(PART)}${program}`)
  await mkdir(work, { recursive: true })
  try {
    const file = join(work, basename(release.url))
    const sum = await fetchFile(release.url, file, limits)
    if (sum !== published) throw wrongChecksum(program, release, { sum, published })
    const made = release.inArchive ? await extracted(file, work, release.inArchive) : file
    await chmod(made, 0o755)
    await rename(made, join(folder, program))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Limits = typeof DEFAULTS & DownloadOptions

async function publishedChecksum({ checksums, listedAs }: Release, limits: Limits): Promise<string> {
  const response = await answer(checksums, {}, limits)
  if (!response.ok) throw new NoDownload(`${checksums} answered ${response.status}`)
  const text = await response
    .text()
    .catch((error) => Promise.reject(new NoDownload(`${checksums}: ${reasonOf(error)}`)))
  const line = listedAs === undefined ? text : text.split('\n').find((one) => one.trim().endsWith(` ${listedAs}`))
  const sum = /^[0-9a-f]{64}\b/i.exec(line?.trim() ?? '')?.[0]
  if (!sum) throw new NoDownload(`${checksums} tells no checksum of ${listedAs ?? 'it'}`)
  return sum.toLowerCase()
}

/** Writes what a URL holds into a file. Returns its SHA-256. */
async function fetchFile(url: string, file: string, limits: Limits): Promise<string> {
  const got = { bytes: 0, hash: createHash('sha256'), total: undefined as number | undefined }
  let why = ''
  for (let i = 0; i < limits.tries; i++) {
    const from = got.bytes
    try {
      await fetchRest(url, file, got, limits)
      if (got.total === undefined || got.bytes >= got.total) return got.hash.digest('hex')
      why = `ended after ${got.bytes} of ${got.total} bytes`
    } catch (error) {
      if (error instanceof NoDownload) throw error
      why = reasonOf(error)
    }
    // one that goes on a little each time is not given up
    if (got.bytes > from) i = Math.min(i, limits.tries - 2)
  }
  throw new NoDownload(`${url}: ${why}`)
}

interface Got {
  bytes: number
  hash: Hash
  total: number | undefined
}

/** From where the last try ended; from the begin where the server does not do that. */
async function fetchRest(url: string, file: string, got: Got, limits: Limits): Promise<void> {
  const response = await answer(url, got.bytes > 0 ? { range: `bytes=${got.bytes}-` } : {}, limits)
  if (response.status >= 500) throw new Error(`answered ${response.status}`)
  if (!response.ok) throw new NoDownload(`${url} answered ${response.status}`)
  if (response.status !== 206) Object.assign(got, { bytes: 0, hash: createHash('sha256') })
  const length = response.headers.get('content-length')
  got.total = length === null ? undefined : got.bytes + Number(length)
  const out = createWriteStream(file, { flags: got.bytes > 0 ? 'a' : 'w' })
  const reader = response.body!.getReader()
  try {
    for (;;) {
      const { done, value } = await within(limits.stallMs, 'nothing came for', reader.read())
      if (done) break
      got.hash.update(value)
      got.bytes += value.length
      if (!out.write(value)) await once(out, 'drain')
      limits.onProgress?.(got.bytes, got.total)
    }
  } finally {
    void reader.cancel().catch(() => {})
    out.end()
    await finished(out)
  }
}

async function answer(url: string, headers: Record<string, string>, { answerMs }: Limits): Promise<Response> {
  const given = new AbortController()
  try {
    // bytes as they are: a checksum is of these
    const asked = fetch(url, { headers: { 'accept-encoding': 'identity', ...headers }, signal: given.signal })
    return await within(answerMs, 'no answer within', asked)
  } catch (error) {
    given.abort()
    throw new NoDownload(`${url}: ${reasonOf(error)}`)
  }
}

async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

async function extracted(archive: string, folder: string, path: string): Promise<string> {
  await run('tar', ['-xzf', archive, '-C', folder, path])
  return join(folder, path)
}

function wrongChecksum(
  program: Program,
  { url, checksums }: Release,
  is: { sum: string; published: string },
): ControlPlaneError {
  return new ControlPlaneError(
    'CONTROL_PLANE_CHECKSUM',
    `${program} was refused: the SHA-256 of what ${url} sent is ${is.sum}, and ${checksums} says ${is.published}. Nothing of it was kept. ` +
      'Something on the way changes downloads (a proxy?), or the release is not what it says. Try again, or build with Go: SEATRIAL_DOWNLOAD=off.',
  )
}

/** fetch hides what happened in causes. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: unknown }
  return cause instanceof Error ? reasonOf(cause) : message
}
