/**
 * Holds the programs of one control plane. It reads commands as JSON lines on standard input; when that ends, because the one who
 * started it asked, exited, crashed or was killed, it ends the programs and removes their folder. Nothing outlives a run.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

const TERM_MS = 1_000
const [folder] = process.argv.slice(2)
const children = new Map()
let ending = false

const tell = (message) => {
  try {
    process.stdout.write(`${JSON.stringify(message)}\n`)
  } catch {
    // nobody listens any more
  }
}

function start({ name, command, args }) {
  const log = openSync(join(folder, `${name}.log`), 'a')
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] })
  closeSync(log)
  children.set(name, child)
  child.on('spawn', () => tell({ name, started: true }))
  child.on('error', (error) => tell({ name, failed: error.message }))
  child.on('exit', (code, signal) => {
    children.delete(name)
    record()
    if (!ending) tell({ name, exited: code ?? signal })
  })
  record()
}

function record() {
  if (ending) return
  const pids = [...children.values()].map((child) => child.pid).filter((pid) => pid !== undefined)
  writeFileSync(join(folder, 'pids.json'), JSON.stringify({ supervisor: process.pid, pids }))
}

async function end() {
  if (ending) return
  ending = true
  for (const child of children.values()) child.kill('SIGTERM')
  for (let waited = 0; children.size > 0 && waited < TERM_MS; waited += 20) await wait(20)
  for (const child of children.values()) child.kill('SIGKILL')
  while (children.size > 0) await wait(20)
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
