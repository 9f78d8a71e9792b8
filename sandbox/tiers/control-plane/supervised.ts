import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { removeControlPlane } from './orphans.ts'

/** What the supervisor says of a program. */
interface Told {
  readonly name: string
  readonly started?: boolean
  readonly exited?: unknown
  readonly failed?: string
}

const STOPPED_WITHIN_MS = 10_000
const NO_SUPERVISOR = 'lost its supervisor, which was killed'

/** Programs that live and die with a supervisor of their own, which ends them and removes the folder when this process ends, however it does. */
export class Supervised {
  /** Resolves, with why, when a program or the supervisor ended that was not asked to. */
  readonly lost: Promise<string>
  private readonly folder: string
  private readonly supervisor: ChildProcess
  private readonly exits = new Map<string, string>()
  private readonly started = new Set<string>()
  private readonly asked = new Set<string>()
  private readonly answers = new Map<string, () => void>()
  private gone = false
  private tellLost!: (why: string) => void

  constructor(folder: string) {
    this.folder = folder
    this.lost = new Promise((resolve) => {
      this.tellLost = resolve
    })
    const script = fileURLToPath(new URL('./supervisor.js', import.meta.url))
    // a group of its own: Ctrl-C in a terminal must reach the supervisor through us, in order
    this.supervisor = spawn(process.execPath, [script, folder], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    createInterface({ input: this.supervisor.stdout! }).on('line', (line) => this.hear(JSON.parse(line) as Told))
    this.supervisor.stdin!.on('error', () => {})
    this.supervisor.on('exit', () => {
      this.gone = true
      for (const name of this.started) if (!this.exits.has(name)) this.exits.set(name, NO_SUPERVISOR)
      for (const answer of this.answers.values()) answer()
      this.tellLost('its supervisor ended')
    })
  }

  /** Starts a program under a name; returns when it runs, or has failed to. */
  async start(name: string, command: string, args: readonly string[]): Promise<void> {
    this.exits.delete(name)
    this.asked.delete(name)
    this.started.add(name)
    if (this.gone) {
      this.exits.set(name, NO_SUPERVISOR)
      return
    }
    const answered = new Promise<void>((resolve) => this.answers.set(name, resolve))
    this.send({ start: { name, command, args } })
    await answered
  }

  /** Ends one program in good order. */
  async stop(name: string): Promise<void> {
    this.asked.add(name)
    this.send({ stop: name })
    for (let waited = 0; this.isRunning(name) && waited < STOPPED_WITHIN_MS; waited += 20) await wait(20)
  }

  isRunning(name: string): boolean {
    return this.started.has(name) && !this.exits.has(name)
  }

  /** How a program ended; undefined while it runs. */
  endOf(name: string): string | undefined {
    return this.exits.get(name)
  }

  /** The last lines of a program's log. */
  log(name: string): string {
    try {
      return readFileSync(join(this.folder, `${name}.log`), 'utf8')
        .split('\n')
        .slice(-15)
        .join('\n')
    } catch {
      return ''
    }
  }

  /** Ends all and removes the folder, also where the supervisor itself was killed. */
  async close(): Promise<void> {
    if (this.supervisor.exitCode === null && this.supervisor.signalCode === null) {
      const ended = new Promise((resolve) => this.supervisor.once('exit', resolve))
      this.supervisor.stdin!.end()
      await ended
    }
    if (existsSync(this.folder)) removeControlPlane(this.folder)
  }

  private hear({ name, exited, failed, started }: Told): void {
    if (!started) {
      const why = failed ?? `ended with ${String(exited)}`
      this.exits.set(name, why)
      if (!this.asked.has(name)) this.tellLost(`${name} ${why}`)
    }
    this.answers.get(name)?.()
  }

  private send(message: unknown): void {
    this.supervisor.stdin!.write(`${JSON.stringify(message)}\n`)
  }
}
