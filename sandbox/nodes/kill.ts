import type { Container, Pod } from '../kube/objects.ts'
import { all, Signal, sleep, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import { seconds } from '../world/time.ts'
import { runHook } from './hooks.ts'
import type { KillReason } from './pod-actions.ts'
import { isSidecar, type PodRuntime, type RuntimeContainer } from './pod-runtime.ts'
import { MINIMUM_GRACE_SECONDS, type NodeTimings } from './timings.ts'

export interface KillContext {
  readonly clock: Clock
  readonly timings: NodeTimings
  event(pod: Pod, level: 'Normal' | 'Warning', reason: string, message: string): void
  unmodelled(pod: Pod, container: Container, what: string, command: readonly string[]): void
}

/**
 * Stops one container: preStop hook, SIGTERM, what is left of the grace period, SIGKILL. What is left is counted in whole seconds,
 * rounded up in the container's favour, and never less than two. Follows kuberuntime_container.go killContainer.
 */
export function* killContainer(
  context: KillContext,
  options: {
    pod: Pod
    runtime: PodRuntime
    target: RuntimeContainer
    container: Container
    message?: string
    reason: KillReason
    graceSecondsOverride?: number
    ordering?: TerminationOrdering
  },
): Task {
  const { pod, container, target, runtime, ordering } = options
  let grace = options.graceSecondsOverride ?? graceSecondsOf(pod, container, options.reason)
  context.event(pod, 'Normal', 'Killing', options.message ?? `Stopping container ${container.name}`)
  const { preStop } = container.lifecycle ?? {}
  if (preStop && grace > 0) {
    const startedAt = context.clock.now
    const outcome = yield* runHook(preStop, container, runtime, seconds(grace))
    if (outcome.unmodelled) context.unmodelled(pod, container, 'preStop', outcome.unmodelled)
    if (outcome.ended && outcome.failed) context.event(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
    grace -= Math.trunc((context.clock.now - startedAt) / 1e6)
  }
  if (ordering && grace > 0) {
    const startedAt = context.clock.now
    yield* ordering.waitForTurn(container.name, grace, context.clock)
    grace -= Math.trunc((context.clock.now - startedAt) / 1e6)
  }
  yield* stopContainer(context, runtime, target, Math.max(grace, MINIMUM_GRACE_SECONDS))
  ordering?.terminated(container.name)
}

/** SIGTERM, then SIGKILL when the process is still there after the grace period: what the runtime's StopContainer does. */
function* stopContainer(context: KillContext, runtime: PodRuntime, target: RuntimeContainer, grace: number): Task {
  if (!target.running) return
  target.program?.signal('SIGTERM')
  if (target.running) yield* target.exited.waitFor(seconds(grace))
  if (!target.running) return
  const { program } = target
  yield* sleep(context.timings.kill)
  program?.signal('SIGKILL')
  runtime.exit(target, { at: context.clock.now, exitCode: 137 })
}

/** Stops all containers of a pod side by side, sidecars after the others, then the sandbox. Follows killPodWithSyncResult. */
export function* killPod(
  context: KillContext,
  options: {
    pod: Pod
    runtime: PodRuntime
    seen: ReadonlySet<string>
    graceSecondsOverride?: number
    sandboxGone(): void
  },
): Task {
  const { pod, runtime } = options
  const specs = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const running = runtime.allRunning().filter((c) => options.seen.has(c.view.id))
  const names = running.map((c) => c.view.name)
  const ordering = pod.spec.initContainers?.some(isSidecar) ? new TerminationOrdering(pod, names) : undefined
  yield* all(
    running.map((target) =>
      killContainer(context, {
        pod,
        runtime,
        target,
        container: specs.find((c) => c.name === target.view.name)!,
        reason: '',
        ...(options.graceSecondsOverride === undefined ? {} : { graceSecondsOverride: options.graceSecondsOverride }),
        ...(ordering ? { ordering } : {}),
      }),
    ),
  )
  if (runtime.sandbox !== 'ready') return
  yield* sleep(context.timings.stopSandbox)
  options.sandboxGone()
}

/** Follows setTerminationGracePeriod. */
export function graceSecondsOf(pod: Pod, container: Container, reason: KillReason): number {
  if (pod.metadata.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds
  const probe =
    reason === 'StartupProbe'
      ? container.startupProbe
      : reason === 'LivenessProbe'
        ? container.livenessProbe
        : undefined
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? MINIMUM_GRACE_SECONDS
}

/** Which containers a sidecar waits for before it is stopped. Follows kuberuntime_termination_order.go. */
export class TerminationOrdering {
  private readonly alive: Set<string>
  private readonly before = new Map<string, string[]>()
  private readonly changed = new Signal()

  constructor(pod: Pod, running: readonly string[]) {
    this.alive = new Set(running)
    const main = pod.spec.containers.map((c) => c.name)
    let later: string | undefined
    for (const container of [...(pod.spec.initContainers ?? [])].reverse()) {
      if (!isSidecar(container)) continue
      this.before.set(container.name, later === undefined ? main : [...main, later])
      later = container.name
    }
  }

  /** Waits until all of them have stopped, at most for the grace period. */
  *waitForTurn(name: string, graceSeconds: number, clock: Clock): Task {
    const deadline = clock.now + seconds(graceSeconds)
    const first = this.before.get(name) ?? []
    while (first.some((n) => this.alive.has(n)) && clock.now < deadline)
      yield* this.changed.waitFor(deadline - clock.now)
  }

  terminated(name: string): void {
    this.alive.delete(name)
    this.changed.notify()
  }
}
