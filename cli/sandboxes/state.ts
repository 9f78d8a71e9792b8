import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ownedName } from '../../sandbox/tiers/control-plane/owned-names.ts'
import { isAlive, numberSpace, type ProcessId, self } from '../../sandbox/tiers/control-plane/processes.ts'

/** What is kept of a sandbox that stays, in `sandbox.json` of its folder. */
export interface SandboxState {
  readonly schemaVersion: 1
  readonly name: string
  readonly tier: 'local'
  /** RFC 3339. */
  readonly since: string
  readonly phase: 'starting' | 'up' | 'ending'
  /** Who ends with it: the command until the background process has taken over. */
  readonly owner: ProcessId
  /** The command that waits for it while it is starting. */
  readonly askedBy: ProcessId
  /** Whose numbers these are. */
  readonly space: string
  /** Why it is no more, where a program of it ended by itself. */
  readonly lost?: string
  /** Of the control plane: its logs and data. */
  readonly folder?: string
  readonly server?: string
  readonly nodes?: readonly string[]
  /** Requests a second of the scheduler and of each controller; undefined: upstream's. */
  readonly qps?: number
  readonly upMs?: number
}

/** Names of folders that are being made. */
export const NEW = '.new-'

/** Where sandboxes that stay are kept: `XDG_STATE_HOME`, or `~/.local/state`. */
export const sandboxesFolder = (): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'seatrial', 'sandboxes')

/** The folder of one, which only its user may look into: the kubeconfig in it is the key to it. */
export const folderOf = (name: string): string => join(sandboxesFolder(), name)

export const kubeconfigOf = (name: string): string => join(folderOf(name), 'kubeconfig')

/** Takes the name. False where somebody has it. There is no moment at which the folder is there and says nothing. */
export function take(name: string): boolean {
  const root = sandboxesFolder()
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const made = mkdtempSync(join(root, ownedName(NEW)))
  const state: SandboxState = {
    schemaVersion: 1,
    name,
    tier: 'local',
    since: new Date().toISOString(),
    phase: 'starting',
    owner: self(),
    askedBy: self(),
    space: numberSpace(),
  }
  writeFileSync(join(made, 'sandbox.json'), JSON.stringify(state), { mode: 0o600 })
  try {
    renameSync(made, folderOf(name))
    return true
  } catch {
    // a folder that holds something is never renamed over
    rmSync(made, { recursive: true, force: true })
    return false
  }
}

/** What is kept of a sandbox; undefined where there is none of the name. */
export function readState(name: string): SandboxState | undefined {
  try {
    return JSON.parse(readFileSync(join(folderOf(name), 'sandbox.json'), 'utf8')) as SandboxState
  } catch {
    return undefined
  }
}

/** Whether those have ended that it ends with. One of another container cannot be judged from here. */
export const isOver = ({ owner, askedBy, phase, space }: SandboxState): boolean =>
  space === numberSpace() && !(isAlive(owner) && (phase !== 'starting' || isAlive(askedBy)))

/** Every sandbox that is kept, by name. */
export function listStates(): SandboxState[] {
  return sandboxNames().flatMap((name) => readState(name) ?? [])
}

export function sandboxNames(): string[] {
  const root = sandboxesFolder()
  return existsSync(root)
    ? readdirSync(root)
        .filter((name) => !name.startsWith('.'))
        .sort()
    : []
}

/** Says more of a sandbox. Whoever reads sees the state before or after. Does nothing where the folder is gone. */
export function change(name: string, more: Partial<SandboxState>): void {
  const state = readState(name)
  if (!state) return
  const file = join(folderOf(name), 'sandbox.json')
  writeFileSync(`${file}.new`, JSON.stringify({ ...state, ...more }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

export const forget = (name: string): void => rmSync(folderOf(name), { recursive: true, force: true })

/** Waits for sandboxes that are being ended, of the name or all of them. */
export async function untilEnded(name?: string): Promise<void> {
  const isEnding = () =>
    listStates().some((one) => one.phase === 'ending' && !isOver(one) && (name ?? one.name) === one.name)
  for (let waited = 0; isEnding() && waited < ENDED_WITHIN_MS; waited += 50) await wait(50)
}

const ENDED_WITHIN_MS = 5_000
