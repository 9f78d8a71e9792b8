import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { removeCacheLeftovers } from '../../sandbox/tiers/control-plane/cache.ts'
import { endProcesses, removeOrphans } from '../../sandbox/tiers/control-plane/orphans.ts'
import { isLeft } from '../../sandbox/tiers/control-plane/owned-names.ts'
import { ownProcesses } from '../../sandbox/tiers/control-plane/processes.ts'
import { plural } from '../plural.ts'
import { folderOf, forget, isOver, NEW, readState, sandboxesFolder, sandboxNames } from './state.ts'

/**
 * Removes what seatrials left that were killed: processes, folders, state, half-made files of the cache. Says so in one line on stderr. What
 * belongs to a living one stays. Every command that makes or lists sandboxes does this first.
 */
export function removeLeftovers(say: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): void {
  const daemons = leftSandboxes()
  const planes = removeOrphans()
  const parts = removeCacheLeftovers()
  const processes = [...daemons, ...planes].reduce((sum, one) => sum + one.processes, 0)
  const told = [
    ...daemons.map(({ name, why }) => `sandbox ${name}${why}`),
    ...(planes.length > 0
      ? [`${plural(planes.length, 'control plane')} in ${planes.map((one) => one.folder).join(', ')}`]
      : []),
    ...(processes > 0 ? [`${processes} ${processes === 1 ? 'process' : 'processes'}`] : []),
    ...(parts > 0 ? [`${plural(parts, 'half-made file')} of the cache`] : []),
  ]
  if (told.length > 0) say(`removed what a killed seatrial left: ${told.join(', ')}`)
}

function leftSandboxes(): { name: string; why: string; processes: number }[] {
  const root = sandboxesFolder()
  if (!existsSync(root)) return []
  for (const name of readdirSync(root))
    if (isLeft(name, NEW)) rmSync(join(root, name), { recursive: true, force: true })
  return sandboxNames()
    .filter((name) => {
      const state = readState(name)
      return !state || isOver(state)
    })
    .map((name) => {
      const { lost } = readState(name) ?? {}
      const processes = endProcesses(() => ownProcesses().filter((one) => isDaemonOf(name, one.argv)))
      forget(name)
      return { name, why: lost ? ` (${lost})` : '', processes }
    })
}

/** A background process by its script and the folder it was given. */
const isDaemonOf = (name: string, argv: readonly string[]): boolean =>
  argv.some((arg) => /^daemon\.[jt]s$/.test(basename(arg))) && argv.at(-1) === folderOf(name)
