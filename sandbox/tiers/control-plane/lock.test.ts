import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PART, removeCacheLeftovers } from './cache.ts'
import { withLock } from './lock.ts'
import { ownedName } from './owned-names.ts'
import { numberSpace, self } from './processes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seatrial-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('lets one in at a time', async () => {
  let inside = 0
  let most = 0
  const use = async () => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setTimeout(resolve, 10))
    inside--
  }
  await Promise.all(Array.from({ length: 4 }, () => withLock(folder, use)))
  expect(most).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

it('says who holds it', async () => {
  const waited: number[] = []
  await withLock(folder, async () => {
    const second = withLock(
      folder,
      async () => {},
      ({ pid }) => waited.push(pid),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(waited).toEqual([process.pid])
    void second
  })
})

it('is taken over from one that was killed', async () => {
  const program = `const { withLock } = await import('${new URL('./lock.ts', import.meta.url).href}')
await withLock(${JSON.stringify(folder)}, async () => { console.log('in'); await new Promise((r) => setTimeout(r, 60_000)) })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
  const dead = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await dead
  expect(existsSync(join(folder, '.lock'))).toBe(true)
  expect(await withLock(folder, async () => 'done')).toBe('done')
})

it('is not taken from a process that has the number of a dead one, nor from another container', async () => {
  const others = [
    { ...self(), startedAt: '1', space: numberSpace() },
    { pid: 2 ** 22 + 1, startedAt: '1', space: '1' },
  ]
  writeFileSync(join(folder, '.lock'), JSON.stringify(others[0]))
  expect(await withLock(folder, async () => 'ours')).toBe('ours')
  writeFileSync(join(folder, '.lock'), JSON.stringify(others[1]))
  const got = await Promise.race([
    withLock(folder, async () => 'theirs'),
    new Promise((resolve) => setTimeout(() => resolve('waits'), 600)),
  ])
  expect(got).toBe('waits')
  rmSync(join(folder, '.lock'))
  await new Promise((resolve) => setTimeout(resolve, 400))
})

it('and all that killed processes were making are removed from the cache; what the living make stays', () => {
  vi.stubEnv('XDG_CACHE_HOME', folder)
  const kept = join(folder, 'seatrial', 'k8s-1.36.3')
  mkdirSync(kept, { recursive: true })
  const names = [ownedName(PART), ownedName(PART, { ...self(), startedAt: '1' })].map((name) => `${name}kubectl`)
  for (const name of [...names, 'kubectl']) writeFileSync(join(kept, name), '')
  expect(removeCacheLeftovers()).toBe(1)
  expect(readdirSync(kept).sort()).toEqual([names[0], 'kubectl'].sort())
  vi.unstubAllEnvs()
})
