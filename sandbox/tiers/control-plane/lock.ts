import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { PART } from './cache.ts'
import { ownedName } from './owned-names.ts'
import { isAlive, numberSpace, type ProcessId, self } from './processes.ts'

type Holder = ProcessId & { readonly space: string }

const LOOK_EVERY_MS = 250
let taken = 0

/**
 * Runs `use` while no other process runs one with a lock of the folder. A lock whose holder is dead is taken over. `onWait` is told once who
 * has it, where somebody has.
 */
export async function withLock<T>(
  folder: string,
  use: () => Promise<T>,
  onWait: (holder: ProcessId) => void = () => {},
): Promise<T> {
  const lock = join(folder, '.lock')
  const mine = join(folder, `${ownedName(PART)}lock-${taken++}`)
  writeFileSync(mine, JSON.stringify({ ...self(), space: numberSpace() }))
  try {
    let told = false
    while (!(tookFree(lock, mine) || tookOver(lock, mine))) {
      const holder = holderOf(lock)
      if (holder && !told) {
        told = true
        onWait(holder)
      }
      await wait(LOOK_EVERY_MS)
    }
    try {
      return await use()
    } finally {
      rmSync(lock, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A name that is linked to a file is either there, with all of it, or not. */
function tookFree(lock: string, mine: string): boolean {
  try {
    linkSync(mine, lock)
    return true
  } catch {
    return false
  }
}

/** Only one may take over from a dead holder: whoever has the name that says so. It looks again, as another may have been there before. */
function tookOver(lock: string, mine: string): boolean {
  const holder = holderOf(lock)
  if (!holder || !isDead(holder)) return false
  const right = `${lock}-of-${holder.pid}-${holder.startedAt}`
  const owner = holderOf(right)
  if (owner && isDead(owner)) rmSync(right, { force: true })
  if (!tookFree(right, mine)) return false
  try {
    const now = holderOf(lock)
    if (now?.pid !== holder.pid || now.startedAt !== holder.startedAt) return false
    const copy = `${mine}-copy`
    linkSync(mine, copy)
    renameSync(copy, lock)
    return true
  } finally {
    rmSync(right, { force: true })
  }
}

/** One of another container cannot be judged from here, and is waited for. */
const isDead = (holder: Holder): boolean => holder.space === numberSpace() && !isAlive(holder)

function holderOf(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined
  }
}
