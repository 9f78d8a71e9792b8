import { seconds, type Us } from '../../world/time.ts'

/** A container at one time, as a kubelet's `/metrics/resource` has it. */
export interface MetricsPoint {
  readonly startedAt: Us
  readonly at: Us
  /** Since the start, in billionths of a core second. */
  readonly cpuNanos: number
  /** Working set. */
  readonly memoryBytes: number
}

/** Pod key → container → point. */
export type PodPoints = ReadonlyMap<string, ReadonlyMap<string, MetricsPoint>>

/** metrics.k8s.io's PodMetrics of one pod. */
export interface PodUsage {
  readonly at: Us
  readonly windowUs: Us
  /** By container. CPU in billionths of a core, memory in bytes. */
  readonly containers: ReadonlyMap<string, { readonly cpuNanos: number; readonly memoryBytes: number }>
}

/** A younger container's usage is not taken from its start. */
const FRESH_MINIMUM: Us = seconds(10)

/**
 * The last two points of each container, and usage between them. A pod whose containers are not all known twice has no metrics; one
 * that has just started is counted from its start when its first point comes 10 s after it or later, within one resolution.
 */
// follows pkg/storage/pod.go and types.go of kubernetes-sigs/metrics-server
export class PodStorage {
  private readonly resolutionUs: Us
  private last: PodPoints = new Map()
  private before: PodPoints = new Map()

  constructor(resolutionUs: Us) {
    this.resolutionUs = resolutionUs
  }

  /** Takes the points of a scrape of all nodes. Pods that are not among them are forgotten. */
  store(points: PodPoints): void {
    const before = new Map<string, ReadonlyMap<string, MetricsPoint>>()
    for (const [pod, containers] of points) {
      const kept = new Map<string, MetricsPoint>()
      for (const [container, point] of containers) {
        const earlier = this.earlierOf(pod, container, point)
        if (earlier) kept.set(container, earlier)
      }
      if (kept.size > 0) before.set(pod, kept)
    }
    this.last = points
    this.before = before
  }

  /** Undefined: nothing to tell yet. */
  usageOf(pod: string): PodUsage | undefined {
    const last = this.last.get(pod)
    const before = this.before.get(pod)
    if (!last || !before) return undefined
    const containers = new Map<string, { cpuNanos: number; memoryBytes: number }>()
    let at: Us | undefined
    let windowUs = 0
    for (const [container, point] of last) {
      const earlier = before.get(container)
      if (!earlier) return undefined
      if (point.startedAt < earlier.startedAt || point.cpuNanos < earlier.cpuNanos) continue
      const window = point.at - earlier.at
      const cpuNanos = Math.floor(((point.cpuNanos - earlier.cpuNanos) / window) * 1e6)
      containers.set(container, { cpuNanos, memoryBytes: point.memoryBytes })
      if (at === undefined || at > point.at) {
        at = point.at
        windowUs = window
      }
    }
    return { at: at ?? 0, windowUs, containers }
  }

  private earlierOf(pod: string, container: string, point: MetricsPoint): MetricsPoint | undefined {
    const age = point.at - point.startedAt
    if (age > 0 && age < this.resolutionUs && age >= FRESH_MINIMUM)
      return { ...point, at: point.startedAt, cpuNanos: 0 }
    const stored = this.last.get(pod)?.get(container)
    // restarted since: the stored point is of another life
    if (!stored || point.startedAt >= stored.at) return undefined
    if (point.at > stored.at) return stored
    const older = this.before.get(pod)?.get(container)
    return older && older.at < point.at ? older : undefined
  }
}
