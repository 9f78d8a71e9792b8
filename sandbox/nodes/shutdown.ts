import type { Pod, PodStatus } from '../kube/objects.ts'
import { type Actor, sleep, type Task } from '../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Rejection } from './admission.ts'
import type { PodWorker } from './pod-worker.ts'

export interface ShutdownOptions {
  /** `shutdownGracePeriod`: for all pods, critical ones included. */
  readonly gracePeriod: Us
  /** `shutdownGracePeriodCriticalPods`: the part of it that is kept for critical pods. */
  readonly criticalGracePeriod: Us
  /** All pods have ended, or time is up. */
  readonly done: () => void
}

/** Priorities from here on are critical: scheduling.SystemCriticalPriority. */
const CRITICAL = 2_000_000_000

/** From the end of the pods until the power goes; assumed. */
const OTHER_SERVICES: Us = seconds(2)

const MESSAGE = 'Pod was terminated in response to imminent node shutdown.'

/**
 * Ends the pods of a node that goes down: the ordinary ones, then the critical ones, each group within its part of the time.
 * Follows pkg/kubelet/nodeshutdown/nodeshutdown_manager.go.
 */
export class ShutDown {
  /** Why pods that come now are refused. */
  readonly rejection: Rejection = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' }
  private readonly options: ShutdownOptions & { world: World; workers: () => readonly PodWorker[] }
  private readonly actor: Actor

  constructor(options: ShutdownOptions & { world: World; nodeName: string; workers: () => readonly PodWorker[] }) {
    this.options = options
    this.actor = options.world.spawn(`kubelet/${options.nodeName}/shutdown`, this.run())
  }

  stop(): void {
    this.actor.stop()
  }

  private *run(): Task {
    const { gracePeriod, criticalGracePeriod, done, workers, world } = this.options
    const groups = [
      { critical: false, within: gracePeriod - criticalGracePeriod },
      { critical: true, within: criticalGracePeriod },
    ]
    for (const { critical, within } of groups) {
      const group = workers().filter(({ pod }) => isCritical(pod) === critical && !isOver(pod))
      if (group.length > 0) yield* this.end(group, within)
    }
    // the last statuses are on their way while the rest of the system stops
    world.clock.after(OTHER_SERVICES, done)
  }

  private *end(group: readonly PodWorker[], within: Us): Task {
    const { clock } = this.options.world
    const deadline = clock.now + within
    for (const worker of group) {
      const grace = Math.min(worker.pod.spec.terminationGracePeriodSeconds, Math.floor(within / 1e6))
      worker.end(grace, (status) => this.amended(status))
    }
    while (clock.now < deadline && group.some((worker) => worker.terminatedAt === undefined))
      yield* sleep(Math.min(seconds(1), deadline - clock.now))
  }

  private amended(status: PodStatus): PodStatus {
    const now = toRfc3339(this.options.world.clock.now)
    const others = (status.conditions ?? []).filter((c) => c.type !== 'DisruptionTarget')
    const before = status.conditions?.find((c) => c.type === 'DisruptionTarget' && c.reason === 'TerminationByKubelet')
    const disrupted = before ?? {
      type: 'DisruptionTarget',
      status: 'True' as const,
      reason: 'TerminationByKubelet',
      message: MESSAGE,
      lastTransitionTime: now,
    }
    return { ...status, phase: 'Failed', reason: 'Terminated', message: MESSAGE, conditions: [...others, disrupted] }
  }
}

const isCritical = ({ spec }: Pod): boolean => (spec.priority ?? 0) >= CRITICAL

const isOver = ({ status }: Pod): boolean => status.phase === 'Failed' || status.phase === 'Succeeded'
