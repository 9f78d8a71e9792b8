/**
 * A large cluster on the real control plane, its nodes once kwok's and once ours, in turns, each on a fresh control plane:
 * `npm run bench:kwok [-- --nodes N --rounds N --idle SECONDS --write]`; `--write` puts the table into docs/reference/performance.md.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Journal } from '../../../sandbox/journal/journal.ts'
import { Deployment, Node } from '../../../sandbox/kube/kinds.ts'
import { collectionPath, objectPath } from '../../../sandbox/kube/remote/paths.ts'
import { RemoteCluster } from '../../../sandbox/kube/remote/remote-cluster.ts'
import { openRest, type Rest } from '../../../sandbox/kube/remote/rest.ts'
import { type ControlPlane, startControlPlane } from '../../../sandbox/tiers/control-plane/control-plane.ts'
import { WallClock } from '../../../sandbox/world/wall-clock.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import { deployment, REPLICAS_PER_NODE } from '../large-cluster.ts'
import { kwokFlags, kwokProgram } from './kwok.ts'
import { cpuSecondsOf, peakRssMiBOf, processesOf } from './processes.ts'
import { bareNode } from './shape.ts'
import { ACTORS, type Actor, type Figures, tableOf } from './table.ts'

const RAISED = ['--kube-api-qps=1000', '--kube-api-burst=2000']

const { values: flags } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '2' },
    idle: { type: 'string', default: '30' },
    only: { type: 'string' },
    profile: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const nodes = Number(flags.nodes)
const replicas = nodes * REPLICAS_PER_NODE
const GIVE_UP_MS = 1_800_000

async function main(): Promise<void> {
  const program = kwokProgram()
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`
  const about = `${machine}: ${nodes} nodes, ${replicas} replicas, ${flags.rounds} rounds in turns.`
  console.log(about)
  const figures: Record<Actor, Figures[]> = { kwok: [], least: [], full: [] }
  for (let round = 0; round < Number(flags.rounds); round++) {
    const order = round % 2 === 0 ? ACTORS : [...ACTORS].reverse()
    for (const actor of order) {
      if (flags.only && !flags.only.split(',').includes(actor)) continue
      const measured = await measure(actor, program)
      figures[actor].push(measured)
      console.log(
        `round ${round + 1} ${actor} ${JSON.stringify(measured, (_, v) => (typeof v === 'number' ? Math.round(v * 100) / 100 : v))}`,
      )
    }
  }
  const table = tableOf(figures)
  console.log(table)
  if (flags.write) writeTable(`${about}\n\n${table}`)
}

const PAGE = fileURLToPath(new URL('../../../docs/reference/performance.md', import.meta.url))
const MARKS = ['<!-- bench:kwok -->', '<!-- /bench:kwok -->'] as const

function writeTable(text: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = MARKS.map((mark) => page.indexOf(mark)) as [number, number]
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks ${MARKS.join(' … ')}`)
  writeFileSync(PAGE, `${page.slice(0, from + MARKS[0].length)}\n${text}\n${page.slice(to)}`)
}

async function measure(actor: Actor, program: string): Promise<Figures> {
  const plane = await startControlPlane({ controllerManager: RAISED, scheduler: RAISED })
  let child: ChildProcess | undefined
  try {
    const rest = await openRest({ kubeconfig: plane.kubeconfig })
    const cpu = planeCpu(plane)
    const from = performance.now()
    const since = () => (performance.now() - from) / 1000
    child = start(actor, plane, program)
    const pid = await pidOf(actor, plane, child)
    const alive = () => {
      if (!existsSync(`/proc/${pid}`)) throw new Error(`${actor} ended before its nodes and pods were Ready`)
    }
    const made = process.cpuUsage()
    if (actor === 'kwok') await makeNodes(rest)
    const { user, system } = process.cpuUsage(made)
    await nodesReady(rest, alive)
    const nodesReadyS = since()
    const nodesCpuS = cpuSecondsOf(pid)
    // for the scheduler to see them
    await wait(2000)
    const [podsFrom, podsCpu, planeFrom] = [since(), cpuSecondsOf(pid), cpu()]
    await rest.send({
      method: 'POST',
      path: collectionPath(Deployment, 'default'),
      body: deployment(replicas, { terminationGracePeriodSeconds: 1 }),
      process: 'bench',
    })
    await podsReady(rest, alive)
    const podsReadyS = since() - podsFrom
    const podsCpuS = cpuSecondsOf(pid) - podsCpu
    const planeCpuS = cpu() - planeFrom
    await wait(5000)
    const idleFrom = [cpuSecondsOf(pid), cpu(), since()] as const
    await wait(Number(flags.idle) * 1000)
    const idleS = since() - idleFrom[2]
    return {
      nodesReadyS,
      nodesCpuS,
      podsReadyS,
      podsCpuS,
      planeCpuS,
      idleCpuPercent: ((cpuSecondsOf(pid) - idleFrom[0]) / idleS) * 100,
      idlePlaneCpuPercent: ((cpu() - idleFrom[1]) / idleS) * 100,
      peakRssMiB: peakRssMiBOf(pid),
      load: loadavg()[0]!,
      ...(actor === 'kwok' ? { makingNodesCpuS: (user + system) / 1e6 } : {}),
    }
  } finally {
    if (child) await end(child)
    await plane.stop()
  }
}

function start(actor: Actor, plane: ControlPlane, program: string): ChildProcess {
  const kubeconfig = `${plane.folder}/kubeconfig`
  if (actor === 'kwok') {
    // ends with its input, as ours does, so that nothing outlives a bench that is killed
    const tied = ['-c', '"$0" "$@" & cat; kill $!', program, ...kwokFlags(kubeconfig, plane.folder)]
    return spawn('sh', tied, { stdio: ['pipe', 'ignore', 'ignore'] })
  }
  const script = fileURLToPath(new URL('./our-nodes.ts', import.meta.url))
  const profile = flags.profile ? ['--cpu-prof', '--cpu-prof-dir', flags.profile] : []
  return spawn(process.execPath, [...profile, script, kubeconfig, `${nodes}`, actor], {
    stdio: ['pipe', 'inherit', 'inherit'],
    // as the command has it
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin!.end()
  await ended
}

async function pidOf(actor: Actor, plane: ControlPlane, child: ChildProcess): Promise<number> {
  if (actor !== 'kwok') return child.pid!
  for (let tries = 0; tries < 500; tries++) {
    const pid = processesOf(plane.folder).get('kwok')
    if (pid !== undefined) return pid
    await wait(10)
  }
  throw new Error('kwok did not start')
}

/** CPU seconds of the four programs of the control plane. */
function planeCpu(plane: ControlPlane): () => number {
  const pids = ['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'].map(
    (name) => processesOf(plane.folder).get(name)!,
  )
  return () => pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)
}

async function makeNodes(rest: Rest): Promise<void> {
  let next = 0
  const make = async () => {
    while (next < nodes)
      await rest.send({ method: 'POST', path: collectionPath(Node), body: bareNode(next++), process: 'bench' })
  }
  await Promise.all(Array.from({ length: 32 }, make))
}

async function nodesReady(rest: Rest, alive: () => void): Promise<void> {
  const clock = new WallClock()
  const cluster = new RemoteCluster({ world: createWorld({ clock, seed: 1, journal: new Journal(clock) }), rest })
  const kube = cluster.kubeOf('bench')
  const ready = () =>
    kube.list(Node).filter((node) => node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
      .length
  await kube.sync(Node)
  await until(
    async () => {
      alive()
      return ready() >= nodes
    },
    () => `${ready()} of ${nodes} nodes Ready`,
  )
  cluster.stop()
  clock.stop()
}

async function podsReady(rest: Rest, alive: () => void): Promise<void> {
  let ready = 0
  const path = objectPath(Deployment, 'default/server')
  await until(
    async () => {
      const { status } = (await rest.send({ method: 'GET', path, process: 'bench' })) as {
        status: { readyReplicas?: number }
      }
      ready = status.readyReplicas ?? 0
      alive()
      return ready >= replicas
    },
    () => `${ready} of ${replicas} replicas Ready`,
  )
}

async function until(done: () => Promise<boolean>, state: () => string): Promise<void> {
  const from = performance.now()
  while (!(await done())) {
    if (performance.now() - from > GIVE_UP_MS) throw new Error(`${state()} after ${GIVE_UP_MS / 1000} s`)
    await wait(100)
  }
}

await main()
