import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The processes whose command line names the folder, by program. */
export function processesOf(folder: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const words = read(`/proc/${name}/cmdline`).split('\0')
    if (words.some((word) => word.includes(folder))) found.set(basename(words[0]!), Number(name))
  }
  return found
}

const TICKS_PER_SECOND = 100

/** User and system seconds of all threads; 0 for a process that is gone. */
export function cpuSecondsOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND
}

/** The most memory it ever held, in MiB. */
export const peakRssMiBOf = (pid: number): number =>
  Number(/VmHWM:\s*(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
