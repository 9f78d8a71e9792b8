import { Store } from '../../apiserver/store.ts'
import { strategies } from '../../apiserver/strategies/index.ts'
import { Journal } from '../../journal/journal.ts'
import type { Pod } from '../../kube/objects.ts'
import { StoreKube, type StoreKubeOptions } from '../../kube/store-kube.ts'
import type { MetricFamily } from '../../metrics/sample.ts'
import type { EntryPoint } from '../../network/gateway/entry.ts'
import { NodeLeases } from '../../nodes/node-leases.ts'
import type { Task } from '../../world/actor.ts'
import { VirtualClock } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import { createWorld, type World } from '../../world/world.ts'
import { leverNames } from '../parts/levers.ts'
import { partsPlan, schedulersText, startParts } from '../parts/start-parts.ts'
import { TRIAL_BEGINS } from '../parts/trial-begins.ts'
import type { Route, Sandbox, SandboxOptions, Tier } from '../tier.ts'
import { simCapabilities } from './capabilities.ts'
import { startControlPlane } from './control-plane.ts'

/** Everything simulated, in one process, in virtual time. Needs nothing but Node. */
export const sim: Tier = {
  name: 'sim',
  capabilities: simCapabilities,
  levers: leverNames,
  available: async () => [],
  plan: ({ lag, schedulers, ...options }) => [
    `an API server, ${schedulersText(schedulers)} and controllers in memory, ${lag.name} lag`,
    ...partsPlan(options),
  ],
  up: async (options) => new SimSandbox(options),
}

class SimSandbox implements Sandbox {
  readonly world: World<VirtualClock>
  readonly kube: StoreKube
  readonly levers: Sandbox['levers']
  private readonly options: SandboxOptions
  /** For whoever watches what the API server does. */
  readonly store: Store
  private readonly parts: ReturnType<typeof startParts>

  constructor(options: SandboxOptions) {
    this.options = options
    const clock = new VirtualClock()
    this.world = createWorld({ clock, seed: options.seed, journal: new Journal(clock) })
    this.store = new Store({ world: this.world, strategies })
    this.kube = this.kubeOf('kubectl')
    const { world } = this
    const kubeOf = (process: string, fields?: StoreKubeOptions['fields']) => this.kubeOf(process, fields)
    const leases = new NodeLeases({ world, profile: options.lag })
    const { schedulers } = options
    this.parts = startParts({
      ...{ world, kubeOf, options, leases },
      startControllers: ({ monitoring, nodes }) =>
        startControlPlane({ world, kubeOf, metrics: monitoring.client, leases, nodes, schedulers }),
    })
    this.levers = this.parts.levers
    clock.runUntil(TRIAL_BEGINS)
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

  reach(serviceKey: string, port: number): Route {
    return this.parts.ways.reach(serviceKey, port)
  }

  enter(point: EntryPoint): Route {
    return this.parts.ways.enter(point)
  }

  exposed(pod: Pod, port: number, names: ReadonlySet<string>): readonly MetricFamily[] {
    return this.parts.ways.exposed(pod, port, names)
  }

  refusals(): readonly string[] {
    return this.parts.monitoring.refusals()
  }

  async close(): Promise<void> {
    // nothing outlives the object
  }

  private kubeOf(process: string, fields?: StoreKubeOptions['fields']): StoreKube {
    const { world, store } = this
    return new StoreKube({ world, store, profile: this.options.lag, process, ...(fields ? { fields } : {}) })
  }
}
