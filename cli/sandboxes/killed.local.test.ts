import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, it as always, beforeAll, expect } from 'vitest'
import { whyUnavailable } from '../../sandbox/tiers/control-plane/binaries.ts'
import { numberSpace, ownProcesses, type RunningProcess } from '../../sandbox/tiers/control-plane/processes.ts'
import { randomStream } from '../../sandbox/world/random.ts'

/** How many moments are tried: `npm run test:killed` tries 20. */
const POINTS = Number(process.env['SEATRIAL_KILL_POINTS'] ?? 4)
const SEED = Number(process.env['SEATRIAL_KILL_SEED'] ?? 1)
const BIN = fileURLToPath(new URL('../bin.js', import.meta.url))
/** A sandbox is used so long, between up and down. */
const USED_MS = 1_000
/** Where Node keeps what it has compiled, whatever TMPDIR is. */
const COMPILED = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache') }
const CLOSING_MS = 5_000
const VICTIMS = [
  'command',
  'background process',
  'supervisor',
  'background process and supervisor',
  'all three',
] as const

const unavailable = await whyUnavailable()
const it = always.skipIf(unavailable)

let root: string
let temp: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'seatrial-killed-'))
  temp = join(root, 'tmp')
  mkdirSync(temp)
})
afterAll(async () => {
  if (!root) return
  await done(seatrial('down', '--all'))
  rmSync(root, { recursive: true, force: true })
})

const seatrial = (...args: string[]): ChildProcess & { text?: string } => {
  const env = { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(root, 'state'), TMPDIR: temp, ...COMPILED }
  const child: ChildProcess & { text?: string } = spawn(process.execPath, [BIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.text = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => {
      child.text += String(chunk)
    })
  return child
}

const done = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('close', () => resolve()))

/** Every process that names the test's folder: the commands, the background process, the control plane. */
const ours = (): RunningProcess[] =>
  ownProcesses().filter(({ pid, argv }) => pid !== process.pid && argv.some((arg) => arg.includes(root)))

const isA = (script: string) => (one: RunningProcess) => one.argv.some((arg) => basename(arg) === script)

/** What the kernel says a program listens on, as its flags ask. */
const portsOf = (processes: readonly RunningProcess[]): number[] =>
  processes.flatMap(({ argv }) =>
    argv.flatMap((arg, i) => {
      const port = /--(?:secure-port|listen-client-urls|listen-peer-urls)$/.test(arg)
        ? /(\d+)$/.exec(argv[i + 1] ?? '')?.[1]
        : undefined
      return port && port !== '0' ? [Number(port)] : []
    }),
  )

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** How many are still open when the kernel has had time to close those of dead processes, which it does after their end. */
async function openAmong(ports: readonly number[]): Promise<number> {
  for (let waited = 0; ; waited += 100) {
    const open = (await Promise.all(ports.map(isOpen))).filter(Boolean).length
    if (open === 0 || waited >= CLOSING_MS) return open
    await wait(100)
  }
}

interface Killed {
  /** Undefined: all was over before, after so many ms. */
  readonly who?: string
  readonly ports: number[]
  readonly ms: number
}

/** Up, used, down: `at` ms after its begin somebody is killed. */
async function life(at: number, victim: (typeof VICTIMS)[number]): Promise<Killed> {
  const begun = performance.now()
  let command = seatrial('up', '--nodes', '2')
  let ended = false
  const course = (async () => {
    await done(command)
    if (!ended) await wait(USED_MS)
    if (ended) return
    command = seatrial('down')
    await done(command)
  })()
  await Promise.race([wait(at), course])
  ended = true
  const ms = Math.round(performance.now() - begun)
  const alive = ours()
  const parts = {
    command: command.exitCode === null && command.signalCode === null && command.pid ? [command.pid] : [],
    'background process': alive.filter(isA('daemon.ts')).map(({ pid }) => pid),
    supervisor: alive.filter(isA('supervisor.js')).map(({ pid }) => pid),
  }
  const named = Object.entries(parts).filter(([name, pids]) => victim.includes(name) && pids.length > 0)
  const chosen =
    named.length > 0 && victim !== 'all three' ? named : Object.entries(parts).filter(([, pids]) => pids.length > 0)
  for (const pid of chosen.flatMap(([, pids]) => pids)) process.kill(pid, 'SIGKILL')
  await done(command)
  await course
  if (chosen.length === 0) return { ms, ports: [] }
  return {
    ms,
    who: `${chosen.map(([name]) => name).join(' and ')} of ${alive.length} processes`,
    ports: portsOf(alive),
  }
}

/** Lets it live whole once, to know how long that is. */
async function wholeLife(): Promise<number> {
  const begun = performance.now()
  for (const args of [['up', '--nodes', '2'], ['down']]) {
    const command = seatrial(...args)
    await done(command)
    expect([command.exitCode, command.text]).toEqual([0, expect.any(String)])
  }
  return performance.now() - begun + USED_MS
}

function report(line: string): void {
  const file = process.env['SEATRIAL_KILL_REPORT']
  if (file) appendFileSync(file, `${line}\n`)
}

it(`kill -9 at ${POINTS} moments of up, use and down leaves nothing after the next command`, {
  timeout: POINTS * 60_000 + 60_000,
}, async () => {
  const random = randomStream(SEED, 'killed')
  let whole = await wholeLife()
  report(`a whole life takes ${Math.round(whole)} ms; seed ${SEED}`)
  for (let i = 0; i < POINTS; i++) {
    const fraction = (i + random.next()) / POINTS
    const victim = VICTIMS[random.int(VICTIMS.length)]!
    let killed = await life(fraction * whole, victim)
    // a machine that has become faster is done before: its life is shorter now
    for (; !killed.who; killed = await life(fraction * whole, victim)) whole = Math.min(killed.ms, 0.9 * whole)
    const { who, ports, ms } = killed
    // a command that died after the sandbox had become its own leaves a sandbox that stays, which is no leftover
    const next = seatrial('status')
    await done(next)
    const stays = next.text!.includes('default  tier local · up')
    if (stays) await done(seatrial('down'))
    const said =
      next.text!.split('\n').find((line) => line.startsWith('removed what')) ??
      (stays ? 'still up, and ended by down' : 'nothing was left')
    const left = {
      processes: ours().map(({ argv }) => argv.join(' ')),
      folders: readdirSync(temp),
      sandboxes: existsSync(join(root, 'state/seatrial/sandboxes'))
        ? readdirSync(join(root, 'state/seatrial/sandboxes'))
        : [],
      ports: await openAmong(ports),
    }
    report(
      `${String(i + 1).padStart(2)}  at ${fraction.toFixed(3)} of its life, ${ms} ms  killed: ${who}  →  ${said.replaceAll(root, '…')}  →  left: ${JSON.stringify(left)}`,
    )
    expect({ i, ...left }).toEqual({ i, processes: [], folders: [], sandboxes: [], ports: 0 })
  }
})

/** The folder of a sandbox whose process is dead, and whose number another one has now. */
function leftBy(pid: number): string {
  const folder = join(root, 'state/seatrial/sandboxes/default')
  mkdirSync(folder, { recursive: true })
  const owner = { pid, startedAt: '1' }
  writeFileSync(
    join(folder, 'sandbox.json'),
    JSON.stringify({ name: 'default', tier: 'local', phase: 'up', owner, askedBy: owner, space: numberSpace() }),
  )
  return folder
}

it('a process that was given the number of a dead one is left alone', async () => {
  const bystander = spawn('sleep', ['60'])
  try {
    leftBy(bystander.pid!)
    const next = seatrial('status')
    await done(next)
    expect(next.text).toContain('removed what a killed seatrial left: sandbox default')
    expect(bystander.exitCode).toBeNull()
  } finally {
    bystander.kill()
  }
})

it.each([['run', 'node-lost'], ['verify'], ['parity', 'node-lost']])(
  '%s says what it removed before it makes a sandbox',
  async (...words) => {
    const [bystander, nothing] = [spawn('sleep', ['60']), join(root, 'nothing')]
    try {
      mkdirSync(nothing, { recursive: true })
      const folder = leftBy(bystander.pid!)
      const ofTier = words[0] === 'parity' ? [] : ['--tier', 'local']
      const command = seatrial(...words, nothing, ...ofTier)
      await done(command)
      expect(command.text).toContain('removed what a killed seatrial left: sandbox default')
      expect(existsSync(folder)).toBe(false)
    } finally {
      bystander.kill()
    }
  },
)
