import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { isLeft, ownedName } from './owned-names.ts'
import { isAlive, kill, ownProcesses, type ProcessId, pause, type RunningProcess } from './processes.ts'

/** What a killed process left, and is no more. */
export interface Removed {
  readonly folder: string
  readonly processes: number
}

const PREFIX = 'seatrial-control-plane-'
/** How long a process may take to be gone after it was killed. */
const GONE_WITHIN_MS = 5_000

/** How the name of a folder begins that this process runs a control plane in. */
export const folderPrefix = (): string => ownedName(PREFIX)

/**
 * Ends the programs of control planes whose owner was killed, and removes their folders. What another user or container has is left
 * alone. A process is only ended when it is one that was recorded, by number and start time, or a program of a control plane whose
 * command line names the folder.
 */
export function removeOrphans(parent = tmpdir()): Removed[] {
  return readdirSync(parent)
    .filter((name) => isLeft(name, PREFIX) && isOwn(join(parent, name)))
    .map((name) => removeControlPlane(join(parent, name)))
}

/** Ends what runs in the folder of a control plane, its supervisor first, and removes the folder. */
export function removeControlPlane(folder: string): Removed {
  const ended = endProcesses(() => {
    const recorded = recordedIn(folder).filter(isAlive)
    return [...recorded, ...ownProcesses().filter((one) => runsIn(folder, one))]
  })
  rmSync(folder, { recursive: true, force: true })
  return { folder, processes: ended }
}

/**
 * Kills what `find` finds until it finds nothing (what a killed process started last may not have been there yet), and all that were killed have
 * ended: one that is ending has no command line any more, and may still hold its ports. Returns how many there were.
 */
export function endProcesses(find: () => readonly ProcessId[]): number {
  const ended = new Map<string, ProcessId>()
  for (let waited = 0; waited < GONE_WITHIN_MS; waited += 10) {
    const found = find()
    if (found.length === 0 && ![...ended.values()].some(isAlive)) break
    for (const one of found) {
      kill(one)
      ended.set(`${one.pid} ${one.startedAt}`, one)
    }
    pause(10)
  }
  return ended.size
}

/** The programs of a control plane that its supervisor wrote down. */
export function recordedIn(folder: string): (ProcessId & { readonly name: string })[] {
  try {
    const { supervisor, programs } = JSON.parse(readFileSync(join(folder, 'pids.json'), 'utf8')) as {
      supervisor: ProcessId
      programs: (ProcessId & { name: string })[]
    }
    return [{ ...supervisor, name: 'supervisor' }, ...programs]
  } catch {
    return []
  }
}

const PROGRAMS = new Set(['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'])

/** A program of ours and no editor or pager: what it is, and that an argument names the folder or a file in it. */
function runsIn(folder: string, { argv }: RunningProcess): boolean {
  const [program = '', ...args] = argv
  const isSupervisor = basename(args[0] ?? '') === 'supervisor.js' && args[1] === folder
  return isSupervisor || (PROGRAMS.has(basename(program)) && args.some((arg) => arg.includes(`${folder}/`)))
}

const isOwn = (folder: string): boolean =>
  existsSync(folder) && statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.()
