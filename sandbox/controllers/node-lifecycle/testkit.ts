import { Store } from '../../apiserver/store.ts'
import { strategies } from '../../apiserver/strategies/index.ts'
import { Journal } from '../../journal/journal.ts'
import { Deployment, keyOf, Node, Pod } from '../../kube/kinds.ts'
import { instant, type LagProfile } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { StoreKube, type StoreKubeOptions } from '../../kube/store-kube.ts'
import { PodNetwork } from '../../network/pod-network.ts'
import { kubeletFields, type NodeOptions, type RunningNode, startNode } from '../../nodes/node.ts'
import { NodeLeases } from '../../nodes/node-leases.ts'
import { type NodeSpec, nodeAddresses } from '../../nodes/node-object.ts'
import { plainPrograms } from '../../nodes/plain-program.ts'
import { Registry } from '../../nodes/registry.ts'
import { runScheduler } from '../../scheduler/scheduler.ts'
import { VirtualClock } from '../../world/clock.ts'
import { seconds } from '../../world/time.ts'
import { createWorld } from '../../world/world.ts'
import { type ControllerSpec, runController } from '../controller.ts'
import { deploymentController } from '../deployment.ts'
import { podGarbageCollector } from '../pod-gc.ts'
import { replicaSetController } from '../replicaset.ts'
import { taintEvictionController } from '../taint-eviction/controller.ts'
import { deploymentOf } from '../testkit.ts'
import { type NodeLifecycleOptions, nodeLifecycleController } from './controller.ts'

export interface NodeClusterOptions {
  readonly nodes: number
  readonly seed?: number
  readonly profile?: LagProfile
  /** Leases written one by one instead of worked out. */
  readonly written?: boolean
  readonly lifecycle?: NodeLifecycleOptions
  readonly node?: (index: number) => Partial<NodeSpec>
  readonly options?: Partial<NodeOptions>
  readonly controllers?: readonly ControllerSpec[]
}

export const H100 = { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 80 * 2 ** 30 }

/** A control plane with real nodes and all that takes part when one fails, for tests. The image `x` is on every node. */
export function nodeCluster(options: NodeClusterOptions) {
  const { profile = instant, seed = 1, written = false } = options
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const kube = (process: string, fields?: StoreKubeOptions['fields']) =>
    new StoreKube({ world, store, profile, process, ...(fields ? { fields } : {}) })
  const network = new PodNetwork()
  const registry = new Registry({ clock, images: () => ({ sizeBytes: 1e9 }) })
  const leases = new NodeLeases({ world, profile })
  const manager = kube('kube-controller-manager')
  const lifecycle = nodeLifecycleController({ ...(written ? {} : { heartbeats: leases }), ...options.lifecycle })
  const usual = [replicaSetController, deploymentController, podGarbageCollector(), taintEvictionController()]
  for (const spec of [lifecycle, ...usual, ...(options.controllers ?? [])])
    runController(spec, { world, kube: manager })
  runScheduler({ world, kube: kube('kube-scheduler') })
  const machine = (node: NodeSpec, more: Partial<NodeOptions> = {}): RunningNode =>
    startNode({
      world,
      kube: kube(`kubelet/${node.name}`, kubeletFields(node.name)),
      node,
      network,
      registry,
      programFor: plainPrograms(),
      pullBytesPerSecond: 1e9,
      ...(written ? { renewLease: true } : { leases }),
      ...options.options,
      ...more,
    })
  const start = (i: number): RunningNode =>
    machine({ name: `node-${i}`, cpu: '64', memory: '512Gi', images: ['x'], ...nodeAddresses(i), ...options.node?.(i) })
  const nodes = Array.from({ length: options.nodes }, (_, i) => start(i))
  const at = (s: number) => clock.runUntil(seconds(s))
  at(5)
  return {
    clock,
    world,
    store,
    network,
    nodes,
    at,
    kube,
    machine,
    node: (i: number): o.Node => store.get(Node, `node-${i}`),
    ready: (i: number) => condition(store.get(Node, `node-${i}`), 'Ready'),
    pods: (): o.Pod[] => store.list(Pod),
    podsOn: (i: number): o.Pod[] => store.list(Pod).filter((pod) => pod.spec.nodeName === `node-${i}`),
    pod: (key: string) => store.get(Pod, key),
    events: (reason?: string) =>
      world.journal.records.flatMap((r) => (r.type === 'event' && (!reason || r.reason === reason) ? [r] : [])),
    /** A Deployment of one container that listens on port 8000. */
    deploy(replicas: number, gpus = 0, spec: Partial<o.PodSpec> = {}) {
      const made = deploymentOf(replicas, { image: 'x' })
      const { template } = made.spec
      const [main] = template.spec.containers
      const resources = gpus > 0 ? { limits: { 'nvidia.com/gpu': String(gpus) } } : {}
      const containers = [{ ...main!, resources }]
      const podSpec = { ...template.spec, ...spec, containers }
      const object = { ...made, spec: { ...made.spec, template: { ...template, spec: podSpec } } } as o.Deployment
      store.create(Deployment, object, 'kubectl')
    },
  }
}

export type NodeCluster = ReturnType<typeof nodeCluster>

/** `effect key` of each taint. */
export const taintsOf = (node: o.Node): string[] => (node.spec.taints ?? []).map((t) => `${t.effect} ${t.key}`)

export const readyPods = (pods: readonly o.Pod[]): string[] =>
  pods.filter((pod) => condition(pod, 'Ready')?.status === 'True').map(keyOf)
