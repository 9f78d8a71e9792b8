import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Names of the folders control planes run in. */
export const FOLDER_PREFIX = 'seatrial-control-plane-'

/**
 * Ends the programs of control planes whose supervisor was itself killed, and removes their folders. A process is only ended when its
 * command line names the folder, so that a process number given to somebody else is left alone. Returns the folders removed.
 */
export function removeOrphans(parent = tmpdir()): string[] {
  const removed: string[] = []
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(FOLDER_PREFIX)) continue
    const folder = join(parent, name)
    const held = readPids(folder)
    if (!held || belongsTo(held.supervisor, folder)) continue
    for (const pid of held.pids) if (belongsTo(pid, folder)) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
    removed.push(folder)
  }
  return removed
}

function readPids(folder: string): { supervisor: number; pids: number[] } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'pids.json'), 'utf8')) as { supervisor: number; pids: number[] }
  } catch {
    return undefined
  }
}

function belongsTo(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
  } catch {
    return false
  }
}
