import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { builtK6 } from './build.ts'
import { ensureK6, findK6, whyNoK6 } from './find.ts'

const OURS = 'seatrial.invalid/k6/sse , k6/x/sse [js]'
const OTHER = 'github.com/phymbert/xk6-sse v0.1.11, k6/x/sse [js]'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seatrial-k6-test-'))
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  vi.stubEnv('PATH', join(folder, 'bin'))
  vi.stubEnv('SEATRIAL_K6', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** A program that answers `version` as a k6 with these extensions does. */
function k6At(path: string, ...extensions: string[]): string {
  mkdirSync(dirname(path), { recursive: true })
  const said = ['k6 v1.8.1 (go1.26, linux/amd64)', ...extensions.map((line) => `  ${line}`)]
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = version ] && [ "$K6_AUTO_EXTENSION_RESOLUTION" = false ] && echo '${said.join('\n')}'\n`,
  )
  chmodSync(path, 0o755)
  return path
}
const onPath = () => join(folder, 'bin', 'k6')

it('takes the user’s where nothing of ours is needed, and ours where it is', async () => {
  const theirs = k6At(onPath())
  const built = k6At(builtK6(), OURS)
  expect(await findK6('nothing')).toEqual({ path: theirs, from: 'PATH', version: 'v1.8.1', sse: 'none' })
  expect(await findK6('any')).toMatchObject({ path: built, from: 'cache', sse: 'ours' })
  expect(await findK6('ours')).toMatchObject({ path: built, from: 'cache' })
})

it('does not take another k6/x/sse, which tells no times, for ours', async () => {
  k6At(onPath(), OTHER)
  expect(await findK6('any')).toMatchObject({ sse: 'other', from: 'PATH' })
  expect(await findK6('ours')).toBeUndefined()
  expect(await whyNoK6('ours')).toContain('has no server-sent events with times')
  expect(await whyNoK6('any')).toBeUndefined()
})

it('obeys SEATRIAL_K6, or says why it cannot', async () => {
  k6At(builtK6(), OURS)
  vi.stubEnv('SEATRIAL_K6', k6At(join(folder, 'mine'), OURS))
  expect(await findK6('ours')).toMatchObject({ from: 'SEATRIAL_K6', path: join(folder, 'mine') })
  k6At(join(folder, 'mine'))
  await expect(findK6('ours')).rejects.toMatchObject({ code: 'K6_WITHOUT_SSE' })
  vi.stubEnv('SEATRIAL_K6', join(folder, 'nothing'))
  await expect(findK6('nothing')).rejects.toMatchObject({ code: 'K6_MISSING' })
})

it('says that there is none, and no Go', async () => {
  expect(await findK6('nothing')).toBeUndefined()
  await expect(ensureK6('nothing')).rejects.toMatchObject({
    code: 'K6_MISSING',
    message: expect.stringMatching(/^no k6 in SEATRIAL_K6, .*, and no Go to build one$/),
  })
})

it('builds with Go what is nowhere, once for all who wait, and puts it into place whole', async () => {
  // a Go that makes such a k6 and counts how often
  const go = join(folder, 'bin', 'go')
  mkdirSync(dirname(go), { recursive: true })
  vi.stubEnv('PATH', `${join(folder, 'bin')}:/usr/bin:/bin`)
  const made = k6At(join(folder, 'made'), OURS)
  writeFileSync(
    go,
    `#!/bin/sh\necho one >>'${folder}/builds'\nwhile [ "$1" != -o ]; do shift; done\ncp '${made}' "$2"\n`,
  )
  chmodSync(go, 0o755)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const found = await Promise.all([ensureK6('ours'), ensureK6('ours')])
  vi.restoreAllMocks()
  expect(found.map(({ path, from }) => [path, from])).toEqual([
    [builtK6(), 'cache'],
    [builtK6(), 'cache'],
  ])
  const { readFileSync, readdirSync } = await import('node:fs')
  expect(readFileSync(join(folder, 'builds'), 'utf8')).toBe('one\n')
  expect(readdirSync(dirname(builtK6()))).toEqual(['k6'])
})

it('shows what Go said of a build that failed', async () => {
  const go = join(folder, 'bin', 'go')
  mkdirSync(dirname(go), { recursive: true })
  vi.stubEnv('PATH', `${join(folder, 'bin')}:/usr/bin:/bin`)
  writeFileSync(go, '#!/bin/sh\necho some/package >&2\necho "sse/open.go:1:1: no good" >&2\nexit 1\n')
  chmodSync(go, 0o755)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const failed = await ensureK6('ours').catch((error: unknown) => error)
  vi.restoreAllMocks()
  expect(failed).toMatchObject({ code: 'K6_BUILD', message: 'building k6 ended with 1:\nsse/open.go:1:1: no good' })
})
