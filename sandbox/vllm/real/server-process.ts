import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** A server as a program of this machine. */
export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
  readonly port: number
}

/** A server of vLLM that runs: the real one, or one that answers like it. */
export interface StartedServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** What it has printed so far, both streams as they came. */
  logs(): string
  /** Resolves when `/health` answers 200. Throws an Error with the end of the log where the server ends first, or takes too long. */
  ready(withinMs: number): Promise<void>
  /** The text of `/metrics`. */
  metrics(): Promise<string>
  /** Its exit code once it has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
  /** Ends it and what it started: politely, and after `graceMs` not. */
  stop(graceMs?: number): Promise<void>
}

/** A port on loopback that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a server on loopback. It is a group of processes of its own, so that all of it can be ended. */
export function startServer({ program, args, environment, port }: ServerCommand): StartedServer {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => output.push(text))
  const exited = new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      output.push(`${error.message}\n`)
      resolve(null)
    })
    child.on('exit', resolve)
  })
  const url = `http://127.0.0.1:${port}`
  const logs = () => output.join('')
  const stop = (graceMs = 10_000) => stopGroup(child, exited, graceMs)
  return {
    url,
    port,
    pid: child.pid ?? -1,
    logs,
    ready: (withinMs) => whenReady({ url, child, exited, logs }, withinMs),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    exited,
    signal: (name) => child.kill(name),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

interface Watched {
  readonly url: string
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  readonly logs: () => string
}

const POLL_MS = 100

async function whenReady({ url, child, exited, logs }: Watched, withinMs: number): Promise<void> {
  const ended = exited.then(() => 'ended' as const)
  for (let waited = 0; waited < withinMs; waited += POLL_MS) {
    const status = await fetch(`${url}/health`).then(
      ({ status }) => status,
      () => 0,
    )
    if (status === 200) return
    if ((await Promise.race([ended, pause(POLL_MS, 'waiting' as const)])) === 'ended')
      throw new Error(
        `the server ended with ${child.exitCode ?? child.signalCode} before it was ready\n${tail(logs())}`,
      )
  }
  throw new Error(`the server was not ready within ${withinMs / 1000} s\n${tail(logs())}`)
}

const tail = (text: string) => text.split('\n').slice(-30).join('\n')

async function stopGroup(child: ChildProcess, exited: Promise<number | null>, graceMs: number): Promise<void> {
  if (child.pid === undefined) return
  child.kill('SIGTERM')
  await Promise.race([exited, pause(graceMs)])
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // nothing of the group is left
  }
  await exited
}
