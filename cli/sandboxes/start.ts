import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
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
  const log = openSync(join(folder, 'seatrial.log'), 'a', 0o600)
  const child = spawn(process.execPath, [script, folder], { detached: true, stdio: ['pipe', 'pipe', log] })
  const { stdin, stdout } = child as ChildProcessByStdio<Writable, Readable, null>
  stdin.on('error', () => {})
  let interrupted = false
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
      if ('up' in one && !interrupted) resolve({ exitCode: exitCodes.pass, upMs: one.upMs })
      else if ('failed' in one) child.once('exit', () => resolve(one))
      else tell(one)
    })
    child.once('error', (error) => resolve({ exitCode: exitCodes.unavailable, failed: error.message }))
    child.once('exit', (code, signal) => {
      const failed = `the background process ended with ${code ?? signal} before the sandbox was up; its log is above`
      resolve(interrupted ? { exitCode: exitCodes.interrupted } : { exitCode: exitCodes.undecided, failed })
    })
  })
  for (const signal of SIGNALS) process.off(signal, interrupt)
  if (started.upMs === undefined) forget(name)
  else stdin.end(`${STAY}\n`)
  stdout.destroy()
  child.unref()
  return started
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
