import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Has no process groups: there a program outlives a seatrial that is killed. */
const WINDOWS = process.platform === 'win32'
const SCRIPT = fileURLToPath(new URL('./watched.sh', import.meta.url))

export interface Watched {
  readonly child: ChildProcess
  /** Asks it to end in good order. */
  interrupt(): void
  /** Its exit code, once it has ended and all it said was read; null where a signal ended it. Fails when it cannot be started. */
  readonly code: Promise<number | null>
}

/** Starts a program that ends with this process, however that ends. It writes to pipes. */
export function watched(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Watched {
  const [program, words] = WINDOWS ? [command, args] : [SCRIPT, [command, ...args]]
  // a group of its own: Ctrl-C in a terminal must reach it through us, in order
  const child = spawn(program, words, { ...options, detached: !WINDOWS, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {})
  const code = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (ended) => {
      child.stdin.end()
      resolve(ended)
    })
  })
  return {
    child,
    code,
    interrupt() {
      try {
        if (WINDOWS) child.kill('SIGINT')
        else if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
      } catch {
        // it has ended
      }
    },
  }
}
