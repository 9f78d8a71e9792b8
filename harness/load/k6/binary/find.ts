import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { K6Error } from '../errors.ts'
import { buildK6, builtK6 } from './build.ts'
import { type K6Version, k6Version, type Sse } from './version.ts'

/** A k6 that is here. */
export interface K6 extends K6Version {
  readonly path: string
  readonly from: 'SEATRIAL_K6' | 'cache' | 'PATH'
}

/** What the script needs of `k6/x/sse`: the times of ours, anybody's, or nothing. */
export type Need = 'ours' | 'any' | 'nothing'

/**
 * The k6 to run: SEATRIAL_K6, else the one built before, else the user's on PATH; for scripts without `k6/x/sse` the user's goes before
 * ours. Undefined where none of them has what is needed. Builds nothing. Fails with `K6Error` when SEATRIAL_K6 is not what is needed.
 */
export async function findK6(need: Need): Promise<K6 | undefined> {
  const given = process.env['SEATRIAL_K6']
  if (given) return await givenK6(given, need)
  const found = await allK6()
  const order = need === 'nothing' ? [...found].reverse() : found
  return order.find(({ sse }) => suffices(sse, need))
}

/** Those in the cache and on PATH, whatever they have. */
export async function allK6(): Promise<K6[]> {
  const onPath = await firstExecutable((process.env['PATH'] ?? '').split(delimiter), 'k6')
  const candidates = [
    { path: builtK6(), from: 'cache' },
    { path: onPath, from: 'PATH' },
  ] as const
  const all: K6[] = []
  for (const { path, from } of candidates) {
    const version = path && (await isExecutable(path)) ? await k6Version(path) : undefined
    if (path && version) all.push({ path, from, ...version })
  }
  return all
}

/** As `findK6`; builds ours where none is found. Fails with `K6Error` K6_MISSING where there is no Go, K6_BUILD when the build fails. */
export async function ensureK6(need: Need): Promise<K6> {
  const found = await findK6(need)
  if (found) return found
  const why = await whyNoK6(need)
  if (why) throw new K6Error('K6_MISSING', why, 'Install Go 1.26 or newer, or send the load without k6.')
  const path = await buildK6(isExecutable)
  const version = await k6Version(path)
  if (!version)
    throw new K6Error('K6_BUILD', `${path} was built and is no k6`, 'Remove it, or point SEATRIAL_K6 at another.')
  return { path, from: 'cache', ...version }
}

/** Why no k6 can be had here; undefined where one is here or can be built. */
export async function whyNoK6(need: Need): Promise<string | undefined> {
  if ((await findK6(need)) || (await canBuild())) return undefined
  const lacking = (await allK6()).filter(({ sse }) => !suffices(sse, need))
  const others = lacking.map(({ path }) => `; ${path} has no server-sent events with times`).join('')
  return `no k6 in SEATRIAL_K6, ${builtK6()} or PATH${others}, and no Go to build one`
}

const canBuild = async (): Promise<boolean> =>
  (await firstExecutable((process.env['PATH'] ?? '').split(delimiter), 'go')) !== undefined

async function givenK6(path: string, need: Need): Promise<K6> {
  const version = (await isExecutable(path)) ? await k6Version(path) : undefined
  const fix = 'Unset SEATRIAL_K6: seatrial then builds one with Go, or takes what is on PATH.'
  if (!version) throw new K6Error('K6_MISSING', `SEATRIAL_K6=${path} is no k6 that runs here`, fix)
  if (!suffices(version.sse, need))
    throw new K6Error(
      'K6_WITHOUT_SSE',
      `SEATRIAL_K6=${path} (${version.version}) has no ${need === 'ours' ? 'server-sent events with times' : 'k6/x/sse'}`,
      fix,
    )
  return { path, from: 'SEATRIAL_K6', ...version }
}

const suffices = (sse: Sse, need: Need): boolean =>
  need === 'nothing' || sse === 'ours' || (need === 'any' && sse !== 'none')

async function firstExecutable(folders: readonly string[], name: string): Promise<string | undefined> {
  const file = process.platform === 'win32' ? `${name}.exe` : name
  for (const folder of folders) if (folder && (await isExecutable(join(folder, file)))) return join(folder, file)
  return undefined
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
