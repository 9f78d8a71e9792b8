import { Journal } from '../../journal/journal.ts'
import { type Kind, keyOf, Node, Pod as PodKind } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Pod } from '../../kube/objects.ts'
import { RemoteCluster } from '../../kube/remote/remote-cluster.ts'
import { openRest, type Rest } from '../../kube/remote/rest.ts'
import { inTrialTime } from '../../kube/remote/trial-time.ts'
import { type ServedMetricsApis, serveMetricsApis } from '../../metrics/apis-server/serve.ts'
import type { MetricFamily } from '../../metrics/sample.ts'
import type { EntryPoint } from '../../network/gateway/entry.ts'
import { type ServedKubelets, serveKubelets } from '../../nodes/kubelet-api/serve.ts'
import type { Task } from '../../world/actor.ts'
import { formatDuration, seconds, toSeconds, type Us } from '../../world/time.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld, type World } from '../../world/world.ts'
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts'
import { startParts } from '../parts/start-parts.ts'
import { TRIAL_BEGINS } from '../parts/trial-begins.ts'
import type { Missing, Route, Sandbox, SandboxOptions } from '../tier.ts'
import { applying } from './applying.ts'
import { Causes } from './causes.ts'
import { startOwnControllers } from './controllers.ts'
import { keepJournal } from './journal-keeper.ts'
import { accountsOf, prepare, until } from './prepare.ts'
import { limitFlags, schedulerFlags } from './scheduler-file.ts'

/**
 * Nodes, servers and clients that are this late may decide otherwise. One such stop alone leaves fewer than one in twenty requests of a minute
 * waiting for two seconds: less breaks no promise to nineteen of twenty.
 */
const LATE: Us = seconds(4)

/** What the clock shows when nodes start: mostly they are Ready when a trial is to begin. */
const NODES_START: Us = TRIAL_BEGINS - seconds(10)

const METRICS_GROUPS = ['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io'] as const

type Parts = ReturnType<typeof startParts>

/** What is done while it comes up. */
export type ComingUp = 'programs started' | 'nodes registered'

/**
 * A real control plane, and actors on simulated nodes around it. Its time is that of the trial, which began when the control plane was ready
 * for the manifests: how long that took makes no difference to a trial.
 */
export class LocalSandbox implements Sandbox {
  readonly world: World<WallClock>
  readonly controlPlane: ControlPlane
  readonly cluster: RemoteCluster
  readonly kube: Kube
  private readonly options: SandboxOptions
  private readonly prepared = new Set<string>()
  private readonly failures: Failures
  private parts: Parts | undefined
  private served: ServedMetricsApis | undefined
  private kubelets: ServedKubelets | undefined

  /**
   * Comes up, and waits until every node is Ready; on a control plane that is being started, or on one of its own. Fails with
   * `ControlPlaneError`, or what an actor fails with.
   */
  static async up(
    options: SandboxOptions,
    starting: Promise<ControlPlane> = startControlPlane({ until: 'serving' }),
    told: (phase: ComingUp) => void = () => {},
  ): Promise<LocalSandbox> {
    const failures = new Failures()
    const controlPlane = await starting
    void controlPlane.lost.then((why) => failures.add(new Error(`the control plane is lost: ${why}`)))
    try {
      // on a busy machine the controller manager gives up on a server that is not ready for ten seconds
      const ready = controlPlane.ready()
      if (options.objects?.length) await ready
      const managed = ready.then(() =>
        controlPlane.restart('kube-controller-manager', limitFlags(options.lag, 'kube-controller-manager')),
      )
      await Promise.all([
        controlPlane.restart('kube-scheduler', schedulerFlags(options, controlPlane)),
        options.objects?.length ? managed : undefined,
      ])
      failures.watch(managed)
      told('programs started')
      const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
      const kinds = options.objects?.length ? await failures.unless(prepare(rest, options.objects)) : undefined
      const clock = WallClock.fromNow({ onError: failures.add, showing: toSeconds(NODES_START) })
      const sandbox = new LocalSandbox({
        options,
        clock,
        controlPlane,
        failures,
        rest: inTrialTime(rest, clock.zeroMs),
      })
      try {
        await sandbox.begin(kinds, told)
      } catch (error) {
        await sandbox.close()
        throw error
      }
      return sandbox
    } catch (error) {
      await controlPlane.stop()
      throw error
    }
  }

  private readonly causes = new Causes()

  private constructor(made: {
    options: SandboxOptions
    clock: WallClock
    controlPlane: ControlPlane
    failures: Failures
    rest: Rest
  }) {
    const { options, clock, controlPlane, failures, rest } = made
    this.options = options
    this.controlPlane = controlPlane
    this.failures = failures
    this.world = createWorld({ clock, seed: options.seed, journal: new Journal(clock) })
    const { world } = this
    this.cluster = new RemoteCluster({ world, rest: this.causes.over(rest), limits: options.lag.clients })
    this.kube = applying(this.cluster.kubeOf('kubectl'), (kind, key) => this.prepared.has(`${kind.id} ${key}`))
  }

  get levers() {
    return this.started.levers
  }

  async runUntil(until: Us): Promise<void> {
    const { clock } = this.world
    await this.failures.unless(
      new Promise<void>((resolve) => {
        clock.at(until, resolve)
      }),
    )
  }

  run<T>(name: string, task: Task<T>): Promise<T> {
    return this.failures.unless(
      new Promise<T>((resolve, reject) => {
        this.world.spawn(
          name,
          (function* () {
            try {
              resolve(yield* task)
            } catch (error) {
              reject(error)
            }
          })(),
        )
      }),
    )
  }

  reach(serviceKey: string, port: number): Route {
    return this.started.ways.reach(serviceKey, port)
  }

  enter(point: EntryPoint): Route {
    return this.started.ways.enter(point)
  }

  exposed(pod: Pod, port: number, names: ReadonlySet<string>): readonly MetricFamily[] {
    return this.started.ways.exposed(pod, port, names)
  }

  refusals(): readonly string[] {
    return this.started.monitoring.refusals()
  }

  unsound(): Missing | undefined {
    const { latestUs } = this.world.clock
    if (latestUs <= LATE) return undefined
    return {
      what: `this machine was up to ${formatDuration(latestUs)} late with what nodes, servers and clients do in wall time`,
      fix: 'Run it again when the machine has less to do, or fewer at once (--jobs).',
    }
  }

  async close(): Promise<void> {
    this.world.clock.stop()
    this.cluster.stop()
    await this.controlPlane.stop()
    // its connections end with the API server that made them
    await this.served?.close()
    await this.kubelets?.close()
  }

  private get started(): Parts {
    if (!this.parts) throw new Error('the sandbox is not up yet')
    return this.parts
  }

  /** `kinds`: those of which everything that becomes of them is kept. */
  private async begin(kinds: readonly Kind[] | undefined, told: (phase: ComingUp) => void): Promise<void> {
    const { cluster, world, options, controlPlane } = this
    await this.failures.unless(kinds ? this.keep(kinds) : cluster.sync(Node, PodKind))
    const kubeOf: Parameters<typeof startParts>[0]['kubeOf'] = (process, fields) => cluster.kubeOf(process, fields)
    const { pki } = controlPlane
    const { zeroMs } = world.clock
    this.kubelets = await serveKubelets({ world, pki, zeroMs, nodes: () => this.parts?.nodes.values() ?? [] })
    this.parts = startParts({
      ...{ world, kubeOf, options, kubeletApi: this.kubelets.address },
      startControllers: ({ nodes }) => startOwnControllers({ world, kubeOf, nodes }),
    })
    const { apis } = this.parts.monitoring
    if (METRICS_GROUPS.some((group) => apis.servedBy(group)))
      this.served = await serveMetricsApis({ world, apis, rest: cluster.rest, pki, zeroMs })
    const wanted = options.nodes.reduce((sum, { count }) => sum + count, 0)
    const nodes = () => cluster.inform(Node).cache.list().length
    await this.failures.unless(
      Promise.all([
        until(`${wanted} nodes`, () => nodes() >= wanted).then(() => told('nodes registered')),
        until(`${wanted} nodes that are Ready`, () => this.readyNodes() >= wanted),
        accountsOf(cluster.rest, ['default']),
        controlPlane.ready(),
      ]),
    )
    // nothing is judged of how it came up
    world.clock.latestUs = 0
  }

  private async keep(kinds: readonly Kind[]): Promise<void> {
    const { cluster, world, causes } = this
    await cluster.sync(...kinds)
    this.remember(kinds)
    keepJournal({ world, kube: cluster.kubeOf('journal'), causes, kinds })
  }

  /** What the cluster came with or was given so that manifests can be applied. */
  private remember(kinds: readonly Kind[]): void {
    for (const kind of kinds)
      for (const object of this.cluster.inform(kind).cache.list()) this.prepared.add(`${kind.id} ${keyOf(object)}`)
  }

  private readyNodes(): number {
    const nodes = this.cluster.inform(Node).cache.list()
    return nodes.filter(({ spec, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
      return ready && !spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready')
    }).length
  }
}

/** The first error of an actor or a program: from then on everything that is waited for fails with it. */
class Failures {
  private first: unknown
  private readonly waiting = new Set<(error: unknown) => void>()

  readonly add = (error: unknown): void => {
    this.first ??= error
    for (const fail of this.waiting) fail(error)
  }

  /** What goes on beside; its failure counts as an actor's. */
  watch(promise: Promise<unknown>): void {
    promise.catch(this.add)
  }

  async unless<T>(promise: Promise<T>): Promise<T> {
    if (this.first !== undefined) throw this.first
    let fail: ((error: unknown) => void) | undefined
    const failure = new Promise<never>((_, reject) => {
      fail = reject
      this.waiting.add(reject)
    })
    try {
      return await Promise.race([promise, failure])
    } finally {
      this.waiting.delete(fail!)
    }
  }
}
