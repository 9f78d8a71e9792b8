import type { ContainerStats } from '../../nodes/container-stats.ts'
import type { Clock, Timer } from '../../world/clock.ts'
import type { RandomStream } from '../../world/random.ts'
import { seconds, type Us } from '../../world/time.ts'

/** A container as cAdvisor measured it last. */
export interface ContainerPoint {
  readonly stats: ContainerStats
  readonly at: Us
}

export interface HousekeepingOptions {
  readonly clock: Clock
  readonly random: RandomStream
  /** What the runtime says now; undefined when the node is off. */
  readonly read: () => readonly ContainerStats[] | undefined
}

// follows pkg/kubelet/cadvisor/cadvisor_linux.go and manager/container.go (nextHousekeepingInterval) of google/cadvisor
const INTERVAL = seconds(10)

/**
 * cAdvisor within a kubelet: measures containers every 10 to 20 s, and that is what the kubelet tells until the next time. Upstream
 * each container has a rhythm of its own; here those of a node share one.
 */
export class Housekeeping {
  private readonly options: HousekeepingOptions
  private points: readonly ContainerPoint[] = []
  private timer: Timer | undefined
  private on = false

  constructor(options: HousekeepingOptions) {
    this.options = options
    const { clock, random } = options
    this.timer = clock.after(random.int(INTERVAL), () => this.measure())
  }

  /** The last measurement of each container; undefined when the node is off. */
  read(): readonly ContainerPoint[] | undefined {
    return this.on && this.options.read() !== undefined ? this.points : undefined
  }

  stop(): void {
    this.timer?.cancel()
  }

  private measure(): void {
    const { clock, random, read } = this.options
    const stats = read()
    this.on = stats !== undefined
    this.points = (stats ?? []).map((s) => ({ stats: s, at: clock.now }))
    this.timer = clock.after(INTERVAL + random.int(INTERVAL), () => this.measure())
  }
}
