import { createInterface } from 'node:readline'
import { k6Environment } from './binary/environment.ts'
import type { K6 } from './binary/find.ts'
import { watched } from './binary/watched.ts'

export interface ProgramOptions {
  readonly k6: K6
  /** Of `k6 run`. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The user's K6_… settings count. */
  readonly ownSettings?: boolean
  readonly onLine: (line: string) => void
  /** A line of its log. */
  readonly onLog?: (line: string) => void
  /** Ends the run in good order. */
  readonly signal?: AbortSignal
}

export interface Ended {
  /** null: by a signal. */
  readonly code: number | null
  /** The last lines of its log. */
  readonly said: string
}

const LINES_KEPT = 40

/** Runs k6 to its end. It opens no port of its own, and ends with this process. */
export async function runProgram(options: ProgramOptions): Promise<Ended> {
  const { k6, args, env, ownSettings = false, onLine, onLog, signal } = options
  const run = watched(k6.path, ['run', '--quiet', '--no-color', '--address', '', ...args], {
    env: { ...k6Environment(process.env, { ownSettings }), ...env },
  })
  const log: string[] = []
  createInterface({ input: run.child.stdout! }).on('line', onLine)
  createInterface({ input: run.child.stderr! }).on('line', (line) => {
    log.push(line)
    if (log.length > LINES_KEPT) log.shift()
    onLog?.(line)
  })
  const interrupt = () => run.interrupt()
  if (signal?.aborted) interrupt()
  signal?.addEventListener('abort', interrupt)
  try {
    return { code: await run.code, said: log.join('\n') }
  } finally {
    signal?.removeEventListener('abort', interrupt)
  }
}
