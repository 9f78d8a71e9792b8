/**
 * Holds the programs of one control plane. It reads commands as JSON lines on standard input; when that ends, because the one who
 * started it asked, exited, crashed or was killed, it ends the programs and removes their folder. Nothing outlives a run.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

const [folder] = process.argv.slice(2)
const children = new Map()
const told = new Map()
let ending = false

const tell = (message) => {
  try {
    process.stdout.write(`${JSON.stringify(message)}\n`)
  } catch {
    // nobody listens any more
  }
}

function start({ name, command, args }) {
  const log = openSync(join(folder, `${name}.log`), 'a', 0o600)
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] })
  closeSync(log)
  children.set(name, child)
  if (child.pid !== undefined) told.set(name, identify(child.pid))
  child.on('spawn', () => tell({ name, started: true }))
  child.on('error', (error) => tell({ name, failed: error.message }))
  child.on('exit', (code, signal) => {
    if (children.get(name) === child) children.delete(name)
    record()
    if (!ending) tell({ name, exited: code ?? signal })
  })
  record()
}

/** Who runs, for whoever cleans up if this process is killed, too. Never half a file. */
function record() {
  if (ending) return
  const programs = [...children.keys()].flatMap((name) => (told.has(name) ? [{ name, ...told.get(name) }] : []))
  const file = join(folder, 'pids.json')
  writeFileSync(`${file}.new`, JSON.stringify({ supervisor: identify(process.pid), programs }))
  renameSync(`${file}.new`, file)
}

/** The number and the start time, which tell a process from a later one with its number. */
function identify(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return { pid, startedAt: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] }
  } catch {
    return { pid, startedAt: 'unknown' }
  }
}

/** At once: what the programs would still write is thrown away with the folder. */
async function end() {
  if (ending) return
  ending = true
  for (const child of children.values()) child.kill('SIGKILL')
  while (children.size > 0) await wait(5)
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end())
process.stdout.on('error', () => {})
record()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const { start: program, stop } = JSON.parse(line)
  if (program) start(program)
  if (stop) children.get(stop)?.kill('SIGTERM')
})
lines.on('close', () => void end())
