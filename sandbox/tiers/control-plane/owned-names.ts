import { isAlive, numberSpace, type ProcessId, self } from './processes.ts'

/**
 * Names of files and folders that say which process they belong to: there is no moment at which one is there without its owner,
 * so that whatever a killed process leaves can be told from what a living one needs.
 */
export function ownedName(prefix: string, owner: ProcessId = self()): string {
  return `${prefix}${numberSpace()}.${owner.pid}.${owner.startedAt}-`
}

/** Whose it is, by its name; undefined for a name that is none of these. */
export function ownerIn(name: string, prefix: string): (ProcessId & { readonly space: string }) | undefined {
  if (!name.startsWith(prefix)) return undefined
  const [, space, pid, startedAt] = /^(\d+)\.(\d+)\.(\w+)-/.exec(name.slice(prefix.length)) ?? []
  return space && pid && startedAt ? { space, pid: Number(pid), startedAt } : undefined
}

/** Whether its owner is gone. What belongs to another container cannot be judged from here, and is left alone. */
export function isLeft(name: string, prefix: string): boolean {
  const owner = ownerIn(name, prefix)
  return owner !== undefined && owner.space === numberSpace() && !isAlive(owner)
}
