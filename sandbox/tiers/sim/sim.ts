import { Store } from '../../apiserver/store.ts'
import { strategies } from '../../apiserver/strategies/index.ts'
import { descheduler } from '../../controllers/descheduler.ts'
import { Journal } from '../../journal/journal.ts'
import type { Pod } from '../../kube/objects.ts'
import { StoreKube, type StoreKubeOptions } from '../../kube/store-kube.ts'
import type { MetricFamily } from '../../metrics/sample.ts'
import { Entries, type EntryPoint } from '../../network/gateway/entry.ts'
import { KubeProxy } from '../../network/kube-proxy.ts'
import { PodNetwork } from '../../network/pod-network.ts'
import { createRoute } from '../../network/route.ts'
import type { RunningNode } from '../../nodes/node.ts'
import { NodeLeases } from '../../nodes/node-leases.ts'
import { Registry } from '../../nodes/registry.ts'
import type { Task } from '../../world/actor.ts'
import { VirtualClock } from '../../world/clock.ts'
import { seconds, type Us } from '../../world/time.ts'
import { createWorld, type World } from '../../world/world.ts'
import type { MonitoringOptions } from '../monitoring-options.ts'
import { leverNames, leversOf } from '../parts/levers.ts'
import { startKarpenter, startNodeAutoscaler } from '../parts/machines.ts'
import { type Monitoring, startMonitoring } from '../parts/monitoring.ts'
import { type NodeParts, startNodes } from '../parts/nodes.ts'
import { RunningPrograms } from '../parts/running-programs.ts'
import type { Route, Sandbox, SandboxOptions, Tier } from '../tier.ts'
import { simCapabilities } from './capabilities.ts'
import { startControlPlane } from './control-plane.ts'

/** Everything simulated, in one process, in virtual time. Needs nothing but Node. */
export const sim: Tier = {
  name: 'sim',
  capabilities: simCapabilities,
  levers: leverNames,
  available: async () => [],
  plan: ({ nodes, lag, schedulers, karpenter }) => [
    `an API server, ${schedulersText(schedulers)} and controllers in memory, ${lag.name} lag`,
    ...nodes.map(
      ({ name, count, gpu, nodePool }) =>
        `${nodePool ? 'bought' : `${count} ×`} ${name}${gpu ? ` with ${gpu.count} × ${gpu.product}` : ''}, simulated`,
    ),
    ...(karpenter ? [`Karpenter, with ${karpenter.catalogue.length} instance types to buy from`] : []),
  ],
  up: async (options) => new SimSandbox(options),
}

/** `scheduler`, or with the profiles it is configured with. */
function schedulersText(schedulers: SandboxOptions['schedulers']): string {
  const names = schedulers?.flatMap(({ configuration }) => configuration?.profiles.map((p) => p.schedulerName) ?? [])
  const text = schedulers && schedulers.length > 1 ? `${schedulers.length} schedulers` : 'scheduler'
  return names?.length ? `${text} (profiles ${names.join(', ')})` : text
}

const NO_MONITORING: MonitoringOptions = { metricsServer: false, prometheus: [], keda: false }

/** Until nodes have registered and the control plane has seen them. */
const WARM_UP: Us = seconds(30)

class SimSandbox implements Sandbox {
  readonly world: World<VirtualClock>
  readonly kube: StoreKube
  readonly levers: Sandbox['levers']
  private readonly options: SandboxOptions
  /** For whoever watches what the API server does. */
  readonly store: Store
  private readonly network = new PodNetwork()
  private readonly monitoring: Monitoring
  private readonly proxies = new Map<string, KubeProxy>()
  private entries: Entries | undefined

  constructor(options: SandboxOptions) {
    this.options = options
    const clock = new VirtualClock()
    this.world = createWorld({ clock, seed: options.seed, journal: new Journal(clock) })
    this.store = new Store({ world: this.world, strategies })
    this.kube = this.kubeOf('kubectl')
    const programs = new RunningPrograms()
    const { world, network } = this
    const kubeOf = (process: string) => this.kubeOf(process)
    const leases = new NodeLeases({ world, profile: options.lag })
    const nodes = new Map<string, RunningNode>()
    this.monitoring = startMonitoring({
      world,
      network,
      kubeOf,
      options: { lag: options.lag, monitoring: options.monitoring ?? NO_MONITORING },
    })
    const { schedulers } = options
    startControlPlane({ world, kubeOf, metrics: this.monitoring.client, leases, nodes, schedulers })
    const registry = new Registry({ clock, images: (image) => ({ sizeBytes: options.imageBytes(image) }) })
    const soldOut = new Set(options.karpenter?.noCapacity)
    const parts: NodeParts = {
      ...options,
      soldOut,
      world,
      network,
      registry,
      leases,
      running: nodes,
      monitoring: this.monitoring,
      kubeOf: (process, fields) => this.kubeOf(process, fields),
      programFor: (pod, container, on) => programs.around(options.programFor(pod, container, on), pod),
    }
    startNodes(parts)
    startNodeAutoscaler(parts)
    const claims = startKarpenter(parts)
    const interrupt = claims && ((node: string, after: Us) => claims.interrupt(node, after))
    this.levers = leversOf({
      world,
      network,
      registry,
      programs,
      nodes,
      kubeOf,
      monitoring: this.monitoring,
      interrupt,
      soldOut,
    })
    const { descheduler: moves } = options
    if (moves) world.spawn('descheduler', descheduler(kubeOf('descheduler'), moves))
    this.proxyOf(this.entryNode())
    clock.runUntil(WARM_UP)
  }

  async runUntil(until: Us): Promise<void> {
    this.world.clock.runUntil(until)
  }

  async run<T>(name: string, task: Task<T>): Promise<T> {
    const { clock } = this.world
    const actor = this.world.spawn(
      name,
      (function* (): Task<{ value: T } | { error: unknown }> {
        try {
          return { value: yield* task }
        } catch (error) {
          return { error }
        }
      })(),
    )
    while (!actor.done) {
      const next = clock.nextAt()
      if (next === undefined) throw new Error(`${name} waits for something that will never happen`)
      clock.runUntil(next)
    }
    let outcome: { value: T } | { error: unknown } | undefined
    this.world.spawn(
      `${name}/result`,
      (function* () {
        outcome = yield* actor.join()
      })(),
    )
    if (!outcome) throw new Error(`${name} ended without a result`)
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  reach(serviceKey: string, port: number, from: 'cluster' | 'outside' = 'cluster'): Route {
    return createRoute({
      world: this.world,
      proxy: this.proxyOf(this.entryNode()),
      network: this.network,
      service: serviceKey,
      port,
      from,
    })
  }

  enter(point: EntryPoint): Route {
    this.entries ??= new Entries({
      world: this.world,
      network: this.network,
      kubeOf: (process) => this.kubeOf(process),
      reach: (service, port, from) => this.reach(service, port, from),
    })
    return this.entries.enter(point)
  }

  exposed({ status }: Pod, port: number, names: ReadonlySet<string>): readonly MetricFamily[] {
    const connection = status.podIP === undefined ? undefined : this.network.connect(status.podIP, port)
    return connection?.kind === 'open' ? (connection.endpoint.exposition?.(port, '/metrics', names) ?? []) : []
  }

  refusals(): readonly string[] {
    return this.monitoring.refusals()
  }

  async close(): Promise<void> {
    // nothing outlives the object
  }

  private kubeOf(process: string, fields?: StoreKubeOptions['fields']): StoreKube {
    const { world, store } = this
    return new StoreKube({ world, store, profile: this.options.lag, process, ...(fields ? { fields } : {}) })
  }

  private entryNode(): string {
    return `${this.options.nodes[0]?.name ?? 'node'}-0`
  }

  /** The kube-proxy of the node by which clients come in. Only entry nodes have one: nobody else's rules are asked. */
  private proxyOf(nodeName: string): KubeProxy {
    let proxy = this.proxies.get(nodeName)
    if (!proxy) {
      proxy = new KubeProxy({ world: this.world, kube: this.kubeOf(`kube-proxy/${nodeName}`), nodeName })
      this.proxies.set(nodeName, proxy)
    }
    return proxy
  }
}
