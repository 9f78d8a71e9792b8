import { Node, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import { type Actor, sleep, type Task } from '../../world/actor.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { ContainerPoint } from '../exporters/housekeeping.ts'
import { type MetricsPoint, PodStorage, type PodUsage } from './pod-storage.ts'

export interface MetricsServerOptions {
  readonly world: World
  /** Its own client, process `metrics-server`. */
  readonly kube: Kube
  /** What the kubelet of a node tells; undefined when it does not answer. */
  readonly kubelet: (nodeName: string) => readonly ContainerPoint[] | undefined
  /** `--metric-resolution`. Default 15 s, as the manifests and the Helm chart set it. */
  readonly resolutionUs?: Us
}

/** PodMetrics of one pod. */
export interface NamedPodUsage extends PodUsage {
  readonly namespace: string
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
}

/** NodeMetrics of one node. */
export interface NamedNodeUsage {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly at: Us
  readonly windowUs: Us
  readonly cpuNanos: number
  readonly memoryBytes: number
}

const RESOLUTION: Us = seconds(15)
/** `--kubelet-request-timeout`. */
const KUBELET_TIMEOUT: Us = seconds(10)
/** Requests to kubelets are spread over 8 ms a node, 4 s at most. */
const SPREAD_PER_NODE: Us = ms(8)
const SPREAD_MAX: Us = seconds(4)
/** A kubelet writing out `/metrics/resource`. */
const KUBELET_ANSWERS: Us = ms(20)

/**
 * metrics-server: asks every kubelet once a resolution and keeps the last two answers. A round ends with its slowest kubelet: one
 * that does not answer holds up all by the request's timeout.
 */
// follows pkg/server/server.go and pkg/scraper/scraper.go of kubernetes-sigs/metrics-server
export class MetricsServer {
  private readonly options: MetricsServerOptions
  private readonly storage: PodStorage
  private readonly actor: Actor
  /** When each node answered last, and the time before. */
  private answered = new Map<string, { readonly at: Us; readonly before: Us | undefined }>()

  constructor(options: MetricsServerOptions) {
    this.options = options
    this.storage = new PodStorage(options.resolutionUs ?? RESOLUTION)
    options.kube.list(Pod)
    this.actor = options.world.spawn('metrics-server', this.run())
  }

  stop(): void {
    this.actor.stop()
  }

  /** PodMetrics of the pods of a namespace ('': of all) that match, by namespace and name; those without metrics are left out. */
  list(namespace: string, selector: LabelSelector): readonly NamedPodUsage[] {
    const pods = this.options.kube.list(Pod, namespace === '' ? { selector } : { namespace, selector })
    return pods
      .filter((pod) => pod.status.phase === 'Running')
      .flatMap(({ metadata }): NamedPodUsage[] => {
        const { name, namespace = 'default', labels } = metadata
        const usage = this.storage.usageOf(`${namespace}/${name}`)
        return usage ? [{ ...usage, namespace, name, ...(labels ? { labels } : {}) }] : []
      })
      .sort((a, b) => (a.namespace === b.namespace ? (a.name < b.name ? -1 : 1) : a.namespace < b.namespace ? -1 : 1))
  }

  /** NodeMetrics of the nodes that match and have answered twice: what their pods use. Simulated nodes run nothing else. */
  nodes(selector: LabelSelector): readonly NamedNodeUsage[] {
    const { kube } = this.options
    const used = Map.groupBy(
      kube.list(Pod).flatMap(({ metadata: { name, namespace }, spec: { nodeName } }) => {
        const usage = nodeName === undefined ? undefined : this.storage.usageOf(`${namespace}/${name}`)
        return usage ? [{ ...usage, nodeName }] : []
      }),
      ({ nodeName }) => nodeName,
    )
    return kube
      .list(Node, { selector })
      .flatMap(({ metadata: { name, labels } }): NamedNodeUsage[] => {
        const { at, before } = this.answered.get(name) ?? {}
        if (at === undefined || before === undefined) return []
        const containers = (used.get(name) ?? []).flatMap((pod) => [...pod.containers.values()])
        const sum = (of: 'cpuNanos' | 'memoryBytes') => containers.reduce((total, one) => total + one[of], 0)
        const usage = { cpuNanos: sum('cpuNanos'), memoryBytes: sum('memoryBytes') }
        return [{ name, ...(labels ? { labels } : {}), at, windowUs: at - before, ...usage }]
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  private *run(): Task {
    const { world } = this.options
    const random = world.random('metrics-server')
    const resolution = this.options.resolutionUs ?? RESOLUTION
    yield* sleep(random.int(resolution))
    for (;;) {
      const began = world.clock.now
      yield* this.round(random.next())
      yield* sleep(Math.max(0, began + resolution - world.clock.now))
    }
  }

  private *round(chance: number): Task {
    const { kube, kubelet, world } = this.options
    const nodes = kube.list(Node)
    const spread = Math.min(SPREAD_PER_NODE * nodes.length, SPREAD_MAX)
    yield* sleep(Math.floor(chance * spread))
    const points = new Map<string, Map<string, MetricsPoint>>()
    const at = world.clock.now
    const answered: typeof this.answered = new Map()
    let silent = false
    for (const node of nodes) {
      const { name } = node.metadata
      const answer = kubelet(name)
      if (!answer) {
        silent = true
        continue
      }
      collect(answer, points)
      answered.set(name, { at, before: this.answered.get(name)?.at })
    }
    yield* sleep(silent ? KUBELET_TIMEOUT : KUBELET_ANSWERS)
    this.answered = answered
    this.storage.store(points)
  }
}

/** A pod with a container that has used nothing yet is left out whole. Follows pkg/scraper/client/resource/decode.go. */
function collect(answer: readonly ContainerPoint[], points: Map<string, Map<string, MetricsPoint>>): void {
  const incomplete = new Set<string>()
  for (const { stats, at } of answer) {
    const key = `${stats.pod.metadata.namespace}/${stats.pod.metadata.name}`
    const cpuNanos = Math.floor(stats.cpuSeconds * 1e9)
    if (cpuNanos === 0 || stats.memoryBytes === 0) incomplete.add(key)
    const containers = points.get(key) ?? new Map<string, MetricsPoint>()
    containers.set(stats.container, {
      startedAt: stats.startedAt,
      at: Math.floor(at / 1e3) * 1e3,
      cpuNanos,
      memoryBytes: Math.floor(stats.memoryBytes),
    })
    points.set(key, containers)
  }
  for (const key of incomplete) points.delete(key)
}
