import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

/** One process, told apart from a later one with its number by when it started. */
export interface ProcessId {
  readonly pid: number
  /** Letters, digits and underscores that mean nothing but: the same, or another. */
  readonly startedAt: string
}

export interface RunningProcess extends ProcessId {
  readonly argv: readonly string[]
}

/** This process. */
export const self = (): ProcessId => identify(process.pid) ?? { pid: process.pid, startedAt: 'unknown' }

/** Who has this number now; undefined: nobody, or one that has ended and waits to be collected. */
export function identify(pid: number): ProcessId | undefined {
  if (process.platform !== 'linux') return listed().find((one) => one.pid === pid)
  const stat = textOf(`/proc/${pid}/stat`)
  // the program's name stands in parentheses and may hold anything: fields are counted after the last one
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startedAt = fields[18]
  return startedAt === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startedAt }
}

/** Whether the process that was so identified still runs. */
export const isAlive = ({ pid, startedAt }: ProcessId): boolean => identify(pid)?.startedAt === startedAt

/** Kills it, unless its number has been given to somebody else. */
export function kill(one: ProcessId, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!isAlive(one)) return
  try {
    process.kill(one.pid, signal)
  } catch {
    // it ended in between
  }
}

/** The processes of this user. */
export function ownProcesses(): RunningProcess[] {
  if (process.platform !== 'linux') return listed()
  const uid = process.getuid?.()
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || ownerOf(`/proc/${name}`) !== uid) return []
    const found = identify(Number(name))
    return found ? [{ ...found, argv: textOf(`/proc/${name}/cmdline`).split('\0').filter(Boolean) }] : []
  })
}

/** Processor time in seconds and resident memory in bytes of a process; undefined where that is not told. */
export function usageOf({ pid }: ProcessId): { cpuSeconds: number; residentBytes: number } | undefined {
  const stat = textOf(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const residentKib = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`))?.[1]
  if (residentKib === undefined || fields.length < 13) return undefined
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: Number(residentKib) * 1024,
  }
}

/** Whose numbers process numbers are: those of another container name other processes. */
export function numberSpace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/** Waits without letting anything else run. */
export const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Linux tells user space times in these, whatever it counts in itself. */
const TICKS_PER_SECOND = 100

function listed(): RunningProcess[] {
  // lstart is five words: Sat Nov 21 20:13:18 2026
  const text = execFileSync('ps', ['-x', '-o', 'pid=,lstart=,command='], { encoding: 'utf8', env: { LC_ALL: 'C' } })
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/)
    return words.length < 7
      ? []
      : [{ pid: Number(words[0]), startedAt: words.slice(1, 6).join(' '), argv: words.slice(6) }]
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid
}
