import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { k6Environment } from './environment.ts'

/** Whose `k6/x/sse` a k6 has: `ours` tells the time of each event, another (xk6-sse) does not. */
export type Sse = 'ours' | 'other' | 'none'

export interface K6Version {
  /** `v1.8.1`. */
  readonly version: string
  readonly sse: Sse
}

/** The module of our extension, as `k6 version` names it. */
const OURS = 'seatrial.invalid/k6/sse'

/** Asks a program for its version; undefined when it is no k6. */
export async function k6Version(path: string): Promise<K6Version | undefined> {
  const said = await promisify(execFile)(path, ['version'], {
    env: k6Environment(process.env),
    timeout: 20_000,
  }).catch(() => undefined)
  return said && readVersion(said.stdout)
}

/** Reads what `k6 version` says: `k6 v1.8.1 (go1.26.8, linux/amd64)`, then a line for each extension. */
export function readVersion(said: string): K6Version | undefined {
  const version = /^k6(?:\.exe)? (v[\w.+-]+)/m.exec(said)?.[1]
  if (!version) return undefined
  const line = said.split('\n').find((one) => /\bk6\/x\/sse\b/.test(one))
  return { version, sse: line === undefined ? 'none' : line.includes(OURS) ? 'ours' : 'other' }
}
