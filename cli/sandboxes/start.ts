import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { exitCodes } from '../exit-codes.ts'
import { STAY, type UpAnswer, type UpRequest } from './requests.ts'
import { folderOf, forget } from './state.ts'

export interface Started {
  readonly exitCode: number
  readonly upMs?: number
  /** What stderr is to show. */
  readonly failed?: string
}

/**
 * Starts the background process of a sandbox whose name is taken, and waits until it is up. Until then it lives and dies with this process:
 * it hears when this one ends, however it does. Interrupted, it removes what it made.
 */
export async function startDaemon(name: string, request: UpRequest, tell: (one: UpAnswer) => void): Promise<Started> {
  const folder = folderOf(name)
  const built = import.meta.url.endsWith('.js')
  const script = fileURLToPath(new URL(built ? './daemon.js' : './daemon.ts', import.meta.url))
  const logFile = join(folder, 'seatrial.log')
  const log = openSync(logFile, 'a', 0o600)
  // it has nothing that would ask for the cache of compiled sources before they are loaded
  const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env }
  const child = spawn(process.execPath, [script, folder], { detached: true, env, stdio: ['pipe', 'pipe', log] })
  const { stdin, stdout } = child as ChildProcessByStdio<Writable, Readable, null>
  stdin.on('error', () => {})
  let interrupted = false
  let upMs = 0
  let failed: Started | undefined
  const interrupt = () => {
    if (interrupted) process.exit(exitCodes.interrupted)
    interrupted = true
    process.stderr.write('\ninterrupted: removing what was made; once more to end at once\n')
    stdin.end()
  }
  for (const signal of SIGNALS) process.on(signal, interrupt)
  stdin.write(`${JSON.stringify(request)}\n`)
  const started = await new Promise<Started>((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const one = JSON.parse(line) as UpAnswer
      if ('up' in one) {
        upMs = one.upMs
        if (!interrupted) stdin.write(`${STAY}\n`)
      } else if ('stays' in one) resolve({ exitCode: exitCodes.pass, upMs })
      else if ('failed' in one) failed = one
      else tell(one)
    })
    child.once('error', (error) => resolve({ exitCode: exitCodes.unavailable, failed: error.message }))
    child.once('close', (code, signal) => {
      if (interrupted) resolve({ exitCode: exitCodes.interrupted })
      resolve(failed ?? { exitCode: exitCodes.undecided, failed: endedEarly(code ?? signal, logFile) })
    })
  })
  for (const signal of SIGNALS) process.off(signal, interrupt)
  if (started.upMs === undefined) forget(name)
  stdin.end()
  stdout.destroy()
  child.unref()
  return started
}

function endedEarly(how: unknown, logFile: string): string {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LINES_SHOWN) : []
  return `the background process ended with ${how} before the sandbox was up.\n${lines.join('\n')}`
}

const LINES_SHOWN = 15
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
