import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Journal } from '../../../sandbox/journal/journal.ts'
import { EndpointSlice, Pod, ReplicaSet } from '../../../sandbox/kube/kinds.ts'
import { defaultProfile, type LagProfile, raisedQps } from '../../../sandbox/kube/lag.ts'
import { RemoteCluster } from '../../../sandbox/kube/remote/remote-cluster.ts'
import { openRest } from '../../../sandbox/kube/remote/rest.ts'
import { KUBERNETES_VERSION } from '../../../sandbox/tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../../sandbox/tiers/control-plane/control-plane.ts'
import { WallClock } from '../../../sandbox/world/wall-clock.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import type { Measured } from './measured-profile.ts'
import { profileOf } from './measured-profile.ts'
import { type Probe, probe, type Verb } from './probe.ts'
import { median, medianTable, PROBABILITIES, quantilesOf } from './quantiles.ts'
import { Bench, REPLICAS, type ScaleUp } from './scale.ts'
import { simulateScaleUp } from './simulated.ts'

export interface MeasureOptions {
  /** How often each is measured; the median counts. */
  readonly rounds: number
  /** How long the probes run each time. */
  readonly seconds: number
  /** Told each line of figures. */
  readonly say: (line: string) => void
}

const VERBS: readonly Verb[] = ['get', 'create', 'update', 'patch status', 'delete']
const LOADS = [0, 50, 100, 200] as const
/** The load whose figures become the profile: a cluster in which something happens. */
const PROFILE_LOAD = 50
const RAISED = ['--kube-api-qps=1000', '--kube-api-burst=2000']
const SEEDS = [1, 2, 3, 4, 5]

/** This process stood still so often that no sample says anything of the control plane. */
export class TooFewSamplesError extends Error {
  override readonly name = 'TooFewSamplesError'
  constructor() {
    super('no sample was taken while this process was undisturbed')
  }
}

const controllers = ['--controllers=*,-node-lifecycle-controller,-taint-eviction-controller']

/** About how long it takes, in seconds. */
export const expectedSeconds = ({ rounds, seconds }: Pick<MeasureOptions, 'rounds' | 'seconds'>): number =>
  rounds * (LOADS.length * (seconds + 2) + 40) + 15

/**
 * Starts a real control plane on this machine and measures it: how late informers are, how long requests take, how fast a scale-up
 * goes. Fails with `ControlPlaneError` where it cannot be started.
 */
export async function measureLag({ rounds, seconds, say }: MeasureOptions): Promise<Measured> {
  const controlPlane = await startControlPlane({ controllerManager: controllers, scheduler: [], fsync: true })
  const clock = new WallClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  try {
    const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    const kube = new RemoteCluster({ world, rest }).kubeOf('bench')
    await kube.sync(Pod, ReplicaSet, EndpointSlice)
    const bench = new Bench(rest, kube)
    say(
      `Kubernetes ${KUBERNETES_VERSION} on loopback · ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'} · node ${process.version}`,
    )
    const run = { bench, plane: controlPlane, rounds, forMs: seconds * 1000, say }
    const byLoad = await measureDelays(run)
    const scaled = await measureScaleUps(run)
    const used = byLoad.get(PROFILE_LOAD)!.filter((one) => one.watchDelay.length > 0 && one.latency.get.length > 0)
    if (used.length === 0) throw new TooFewSamplesError()
    const measured = { ...tablesOf(used), samples: countsOf(used), rounds, load: PROFILE_LOAD, scaled }
    saySimulated(profileOf(measured, 'measured'), say)
    kube.stop()
    return measured
  } finally {
    clock.stop()
    await controlPlane.stop()
  }
}

/** One measurement under way. */
interface Run {
  readonly bench: Bench
  readonly plane: ControlPlane
  readonly rounds: number
  readonly forMs: number
  readonly say: (line: string) => void
}

/** The same scale-up in the simulator, with the delays just measured. */
function saySimulated(measured: LagProfile, say: Run['say']): void {
  say('')
  say('the same in the simulator, median of 5 seeds')
  for (const [name, clients] of [
    ['default', defaultProfile.clients],
    ['raised-qps', raisedQps.clients],
  ] as const) {
    const runs = SEEDS.map((seed) => simulateScaleUp({ ...measured, clients }, seed))
    const created = median(runs.map((one) => one.created))
    const observed = median(runs.map((one) => one.observed))
    const cells = `${created.toFixed(2).padStart(10)}${observed.toFixed(2).padStart(11)}`
    say(`${`simulated, ${name}`.padEnd(24)}${cells}${''.padStart(9)}   ${(REPLICAS / created).toFixed(1)}`)
  }
}

async function measureDelays({ bench, plane, rounds, forMs, say }: Run): Promise<Map<number, Probe[]>> {
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
    say('')
    say(
      `milliseconds at ${load} writes/s beside the probes · median of ${rounds} rounds · ${total(probes, (p) => p.dropped)} samples dropped for stalls of this process`,
    )
    say(`${''.padEnd(16)}${'n'.padStart(7)}${PROBABILITIES.map((p) => `p${p * 100}`.padStart(9)).join('')}`)
    for (const verb of VERBS)
      row(
        say,
        verb,
        probes.map((p) => p.latency[verb]),
      )
    row(
      say,
      'watch delay',
      probes.map((p) => p.watchDelay),
    )
    row(
      say,
      'after answer',
      probes.map((p) => p.afterAnswer),
    )
  }
  return byLoad
}

function row(say: Run['say'], name: string, samples: readonly (readonly number[])[]): void {
  const rounds = samples.filter(({ length }) => length > 0)
  const table = rounds.length > 0 ? medianTable(rounds.map(quantilesOf)) : []
  const n = samples.reduce((sum, s) => sum + s.length, 0)
  say(`${name.padEnd(16)}${`${n}`.padStart(7)}${table.map((v) => v.toFixed(2).padStart(9)).join('')}`)
}

async function measureScaleUps({ bench, plane, rounds, say }: Run): Promise<Measured['scaled']> {
  const scaled: Record<'default' | 'raised', ScaleUp[]> = { default: [], raised: [] }
  await bench.nodes(4)
  for (const limits of ['default', 'raised'] as const) {
    const more = limits === 'raised' ? RAISED : []
    await plane.restart('kube-controller-manager', [...controllers, ...more])
    await plane.restart('kube-scheduler', more)
    for (let round = 0; round < rounds; round++)
      scaled[limits].push(await bench.scaleUp(`scale-${limits}-${round}`, { scheduled: true, endpoints: 40 }))
  }
  say('')
  say(`0 → ${REPLICAS} replicas, seconds (median of ${rounds})`)
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
  say('')
  say("milliseconds from a pod's Ready to its endpoint in an informer of EndpointSlices")
  say(`${''.padEnd(16)}${'n'.padStart(7)}${PROBABILITIES.map((p) => `p${p * 100}`.padStart(9)).join('')}`)
  for (const limits of ['default', 'raised'] as const)
    row(
      say,
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
