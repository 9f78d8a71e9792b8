/**
 * Measures a real control plane on this machine: how late informers are, how long requests take, how fast a scale-up goes.
 * `npm run bench:lag [-- --rounds N --seconds N --write]`; `--write` puts the tables into sandbox/kube/profiles/measured.ts.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Journal } from '../../../sandbox/journal/journal.ts'
import { EndpointSlice, Pod, ReplicaSet } from '../../../sandbox/kube/kinds.ts'
import { RemoteCluster } from '../../../sandbox/kube/remote/remote-cluster.ts'
import { openRest } from '../../../sandbox/kube/remote/rest.ts'
import { KUBERNETES_VERSION } from '../../../sandbox/tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../../sandbox/tiers/control-plane/control-plane.ts'
import { WallClock } from '../../../sandbox/world/wall-clock.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import { type Probe, probe, type Verb } from './probe.ts'
import { median, medianTable, PROBABILITIES, quantilesOf } from './quantiles.ts'
import { Bench, REPLICAS, type ScaleUp } from './scale.ts'
import { writeProfile } from './write-profile.ts'

const VERBS: readonly Verb[] = ['get', 'create', 'update', 'patch status', 'delete']
const LOADS = [0, 50, 100, 200] as const
/** The load whose figures become the profile: a cluster in which something happens. */
const PROFILE_LOAD = 50
const RAISED = ['--kube-api-qps=1000', '--kube-api-burst=2000']

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '25' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(flags.rounds)
const forMs = Number(flags.seconds) * 1000
const say = (line = '') => process.stdout.write(`${line}\n`)

const controllers = ['--controllers=*,-node-lifecycle-controller,-taint-eviction-controller']

async function main(): Promise<void> {
  const controlPlane = await startControlPlane({ controllerManager: controllers, scheduler: [], fsync: true })
  const clock = new WallClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  try {
    const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    const cluster = new RemoteCluster({ world, rest })
    const kube = cluster.kubeOf('bench')
    await kube.sync(Pod, ReplicaSet, EndpointSlice)
    const bench = new Bench(rest, kube)
    say(
      `Kubernetes ${KUBERNETES_VERSION} on loopback · ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'} · node ${process.version}`,
    )
    const byLoad = await measureDelays(bench, controlPlane)
    const scaled = await measureScaleUps(bench, controlPlane)
    if (flags.write) {
      const used = byLoad.get(PROFILE_LOAD)!
      writeProfile({ ...tablesOf(used), samples: countsOf(used), rounds, load: PROFILE_LOAD, scaled })
      say('written: sandbox/kube/profiles/measured.ts')
    }
    say('\nthe same in the simulator, median of 5 seeds')
    // a process of its own, which reads the tables just written
    execFileSync(process.execPath, [fileURLToPath(new URL('./simulated.ts', import.meta.url))], { stdio: 'inherit' })
    cluster.stop()
  } finally {
    clock.stop()
    await controlPlane.stop()
  }
}

async function measureDelays(bench: Bench, plane: ControlPlane): Promise<Map<number, Probe[]>> {
  const byLoad = new Map<number, Probe[]>(LOADS.map((load) => [load, []]))
  for (let round = 0; round < rounds; round++)
    for (const load of LOADS) {
      const namespace = await bench.namespace(`probe-${round}-${load}`)
      await untilAccount(bench, namespace)
      const end = load > 0 ? startLoad(plane, namespace, load) : undefined
      // one writer alone, or four beside the load
      const pace = load === 0 ? { writers: 1, pauseMs: 15 } : { writers: 4, pauseMs: 100 }
      byLoad.get(load)!.push(await probe({ rest: bench.rest, kube: bench.kube, namespace, forMs, ...pace }))
      const reached = await end?.()
      if (reached !== undefined)
        say(`round ${round + 1}: asked for ${load} writes/s beside the probes, reached ${reached}`)
    }
  for (const [load, probes] of byLoad) {
    say(
      `\nmilliseconds at ${load} writes/s beside the probes · median of ${rounds} rounds · ${total(probes, (p) => p.dropped)} samples dropped for stalls of this process`,
    )
    say(`${''.padEnd(16)}${'n'.padStart(7)}${PROBABILITIES.map((p) => `p${p * 100}`.padStart(9)).join('')}`)
    for (const verb of VERBS)
      row(
        verb,
        probes.map((p) => p.latency[verb]),
      )
    row(
      'watch delay',
      probes.map((p) => p.watchDelay),
    )
    row(
      'after answer',
      probes.map((p) => p.afterAnswer),
    )
  }
  return byLoad
}

function row(name: string, samples: readonly (readonly number[])[]): void {
  const table = medianTable(samples.map(quantilesOf))
  const n = samples.reduce((sum, s) => sum + s.length, 0)
  say(`${name.padEnd(16)}${`${n}`.padStart(7)}${table.map((v) => v.toFixed(2).padStart(9)).join('')}`)
}

async function measureScaleUps(bench: Bench, plane: ControlPlane): Promise<Record<'default' | 'raised', ScaleUp[]>> {
  const scaled: Record<'default' | 'raised', ScaleUp[]> = { default: [], raised: [] }
  await bench.nodes(4)
  for (const limits of ['default', 'raised'] as const) {
    const more = limits === 'raised' ? RAISED : []
    await plane.restart('kube-controller-manager', [...controllers, ...more])
    await plane.restart('kube-scheduler', more)
    for (let round = 0; round < rounds; round++)
      scaled[limits].push(await bench.scaleUp(`scale-${limits}-${round}`, { scheduled: true, endpoints: 40 }))
  }
  say(`\n0 → ${REPLICAS} replicas, seconds (median of ${rounds})`)
  say(`${''.padEnd(24)}${'created'.padStart(10)}${'in status'.padStart(11)}${'bound'.padStart(9)}   pods/s`)
  for (const limits of ['default', 'raised'] as const) {
    const of = (field: 'created' | 'observed' | 'bound') => median(scaled[limits].map((s) => s[field]))
    const cells = (created: number, observed: number) =>
      `${created.toFixed(2).padStart(10)}${observed.toFixed(2).padStart(11)}`
    const rate = (REPLICAS / of('created')).toFixed(1)
    say(
      `${`real, ${limits} limits`.padEnd(24)}${cells(of('created'), of('observed'))}${of('bound').toFixed(2).padStart(9)}   ${rate}`,
    )
  }
  say("\nmilliseconds from a pod's Ready to its endpoint in an informer of EndpointSlices")
  say(`${''.padEnd(16)}${'n'.padStart(7)}${PROBABILITIES.map((p) => `p${p * 100}`.padStart(9)).join('')}`)
  for (const limits of ['default', 'raised'] as const)
    row(
      `${limits} limits`,
      scaled[limits].map((s) => s.endpointMs),
    )
  return scaled
}

async function untilAccount(bench: Bench, namespace: string): Promise<void> {
  for (;;) {
    const made = await bench.send('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`).then(
      () => true,
      () => false,
    )
    if (made) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Starts the load; gives how to end it and learn the rate that was reached. */
function startLoad(plane: ControlPlane, namespace: string, writesPerSecond: number): () => Promise<string> {
  const script = fileURLToPath(new URL('./load.ts', import.meta.url))
  const args = [script, `${plane.folder}/kubeconfig`, namespace, `${writesPerSecond}`]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  return async () => {
    child.stdin.end()
    await ended
    return output.trim()
  }
}

const total = (probes: readonly Probe[], of: (probe: Probe) => number): number =>
  probes.reduce((sum, p) => sum + of(p), 0)

const writesOf = (p: Probe): number[] => VERBS.filter((verb) => verb !== 'get').flatMap((verb) => p.latency[verb])

const tablesOf = (probes: readonly Probe[]) => ({
  watchDelay: medianTable(probes.map((p) => quantilesOf(p.watchDelay))),
  read: medianTable(probes.map((p) => quantilesOf(p.latency.get))),
  write: medianTable(probes.map((p) => quantilesOf(writesOf(p)))),
})

const countsOf = (probes: readonly Probe[]) => ({
  watchDelay: total(probes, (p) => p.watchDelay.length),
  read: total(probes, (p) => p.latency.get.length),
  write: total(probes, (p) => writesOf(p).length),
  dropped: total(probes, (p) => p.dropped),
})

await main()
