import { existsSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { endProcesses } from './orphans.ts'
import { isLeft } from './owned-names.ts'
import { ownProcesses, type RunningProcess } from './processes.ts'

/** How names of what is being made in the cache begin. */
export const PART = '.part-'

/** Where everything is that can be made again. */
export const cacheFolder = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'seatrial')

/** Removes what killed processes were making in the cache, and the locks they held. Returns how many there were. */
export function removeCacheLeftovers(): number {
  let removed = 0
  for (const folder of [cacheFolder(), ...foldersOf(cacheFolder())])
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (isLeft(name, PART)) {
        endProcesses(() => ownProcesses().filter((one) => buildsIn(join(folder, name), one)))
        rmSync(join(folder, name), { recursive: true, force: true })
        removed++
      }
  return removed
}

const foldersOf = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && /^k(8s|6)-/.test(entry.name))
        .map(({ name }) => join(folder, name))
    : []

const BUILDERS = new Set(['go', 'compile', 'link', 'asm', 'tar'])

const buildsIn = (folder: string, { argv: [program = '', ...args] }: RunningProcess): boolean =>
  BUILDERS.has(basename(program)) && args.some((arg) => arg.includes(`${folder}/`))
