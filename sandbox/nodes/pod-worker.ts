import type { Pod, PodStatus } from '../kube/objects.ts'
import { Signal, sleep, type Task } from '../world/actor.ts'
import type { Timer } from '../world/clock.ts'
import { ms, type Us } from '../world/time.ts'
import type { StartFailure } from './images.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { PlegRecord } from './pleg.ts'
import type { HostEndpoints } from './pod-addresses.ts'
import { type ContainerView, PodRuntime, type PodView, RuntimeContainer } from './pod-runtime.ts'
import { deadlineOf, podStatus } from './pod-status.ts'
import { PodProbes } from './prober/manager.ts'
import { type PodMachine, removeSandbox, type SyncOutcome, stopPod, syncContainers } from './sync-pod.ts'
import { nextTick, RESYNC_INTERVAL, SYNC_BACKOFF, SYNC_TICK } from './timings.ts'
import { mountVolumes } from './volumes.ts'

const VOLUME_POLL = ms(300)

/**
 * The kubelet's worker of one pod: sync until it should end, terminating while containers stop, then terminated. One step runs at a
 * time, and each waits for a relist newer than the step before. Follows pkg/kubelet/pod_workers.go and kubelet.go SyncPod,
 * SyncTerminatingPod, SyncTerminatedPod.
 */
export class PodWorker {
  pod: Pod
  readonly record: PlegRecord
  readonly runtime: PodRuntime
  readonly probes: PodProbes
  terminatingAt: Us | undefined
  terminatedAt: Us | undefined
  finished = false
  private readonly context: KubeletContext
  private readonly machine: PodMachine
  private readonly wake = new Signal()
  private pending = false
  private lastSync: Us = -1
  private mounted = false
  private graceSeconds: number | undefined
  private requeueTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private amend: ((status: PodStatus) => PodStatus) | undefined

  /** `left`: what the container runtime has of the pod from before the kubelet began. */
  constructor(options: { context: KubeletContext; pod: Pod; hosts: HostEndpoints; left?: PodView }) {
    const { context, pod, hosts, left } = options
    this.context = context
    this.pod = pod
    this.runtime = new PodRuntime(() => context.pleg.markChanged(this.record))
    this.record = new PlegRecord(this.runtime, () => this.update())
    if (left) {
      this.runtime.sandbox = left.sandbox === 'none' ? 'none' : 'stopped'
      this.runtime.containers = left.containers.map((view) => new RuntimeContainer(lostAt(view, context.startedAt)))
      this.record.view = this.runtime.snapshot()
    }
    this.machine = {
      runtime: this.runtime,
      hosts,
      cancelled: new Signal(),
      reasons: new Map<string, StartFailure>(),
      endpoint: undefined,
      sandboxReady: () => this.reportSandbox(),
    }
    this.probes = new PodProbes({
      results: context.probeResults,
      random: context.random,
      kubeletStartedAt: context.startedAt,
      context: () => this.probeContext(),
    })
  }

  get key(): string {
    return `${this.pod.metadata.namespace}/${this.pod.metadata.name}`
  }

  /** Something about the pod changed. `kill`: it is gone from the API. */
  update(kill = false): void {
    if (this.finished) return
    const { metadata, status } = this.pod
    const over = metadata.deletionTimestamp !== undefined || status.phase === 'Failed' || status.phase === 'Succeeded'
    if (this.terminatingAt === undefined && (over || kill)) {
      this.terminatingAt = this.context.world.clock.now
      this.machine.cancelled.notify()
    }
    if (this.terminatingAt !== undefined && this.terminatedAt === undefined) this.graceSeconds = this.effectiveGrace()
    this.pending = true
    this.wake.notify()
  }

  /** The kubelet ends the pod of its own accord, within the grace period; `amend` says why in its status. */
  end(graceSeconds: number, amend: (status: PodStatus) => PodStatus): void {
    this.amend = amend
    this.graceSeconds = Math.min(this.graceSeconds ?? graceSeconds, graceSeconds)
    this.update(true)
  }

  /** The pod never ran here: only its last status is to be written. */
  skipToTerminated(): void {
    this.terminatingAt = this.context.world.clock.now
    this.terminatedAt = this.terminatingAt
  }

  /** Ends without a trace, as when the node loses power. */
  abandon(): void {
    this.requeueTimer?.cancel()
    this.deadlineTimer?.cancel()
    this.probes.stop()
    for (const container of this.runtime.allRunning()) container.program?.signal('SIGKILL')
    removeSandbox(this.context, this.machine)
    this.runtime.containers = []
    this.finished = true
  }

  /** Until the pod has ended; then `ended` is called. */
  *run(ended: () => void): Task {
    for (;;) {
      while (!this.pending) yield* this.wake.wait()
      this.pending = false
      const { pod, terminatedAt, terminatingAt } = this
      const view = yield* this.context.pleg.newerThan(this.record, this.lastSync)
      if (terminatedAt !== undefined) {
        yield* this.syncTerminated(pod, view)
        this.finished = true
        this.requeueTimer?.cancel()
        return ended()
      }
      if (terminatingAt !== undefined) {
        yield* this.syncTerminating(pod, view)
        this.terminatedAt = this.context.world.clock.now
        this.lastSync = this.terminatedAt
        this.pending = true
        continue
      }
      yield* this.sync(pod, view)
    }
  }

  private *sync(pod: Pod, view: PodView): Task {
    const { world, statuses, pleg } = this.context
    const status = this.makeStatus(pod, view, false)
    statuses.set(pod, status)
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      this.lastSync = world.clock.now
      this.terminatingAt ??= world.clock.now
      this.pending = true
      return
    }
    this.watchDeadline(pod)
    if (!this.mounted) {
      this.mounted = yield* mountVolumes({
        pod,
        kube: this.context.kube,
        clock: world.clock,
        takes: this.context.timings.mountVolumes,
        ...(this.context.attached ? { attached: this.context.attached } : {}),
        cancelled: this.machine.cancelled,
        event: (message) => this.context.event(this.pod, 'Warning', 'FailedMount', message),
      })
      if (!this.mounted) {
        this.lastSync = world.clock.now
        return
      }
    }
    this.probes.add(pod)
    const outcome = yield* syncContainers(this.context, this.machine, { pod, view })
    this.lastSync = world.clock.now
    if (outcome.acted && outcome.failures.length === 0) pleg.requestRelist(this.record)
    this.requeue(outcome)
  }

  private *syncTerminating(pod: Pod, view: PodView): Task {
    const { statuses } = this.context
    const { graceSeconds } = this
    statuses.set(pod, this.makeStatus(pod, view, false))
    this.probes.stopLivenessAndStartup(pod)
    yield* stopPod(this.context, this.machine, { pod, view, ...(graceSeconds === undefined ? {} : { graceSeconds }) })
    this.probes.stop()
    const stopped = { ...this.runtime.snapshot(), ...(view.ip === undefined ? {} : { ip: view.ip }) }
    statuses.set(this.pod, this.makeStatus(this.pod, stopped, true))
    this.context.devices.release(pod.metadata.uid)
  }

  private *syncTerminated(pod: Pod, view: PodView): Task {
    const { statuses, world, timings } = this.context
    statuses.set(pod, this.makeStatus(pod, view, true))
    const unmountedAt = (this.terminatedAt ?? 0) + timings.unmountVolumes
    if (this.mounted && world.clock.now < unmountedAt) yield* sleep(VOLUME_POLL)
    this.context.attached?.release(pod.metadata.uid)
    statuses.terminate(this.pod)
  }

  private makeStatus(pod: Pod, view: PodView, terminal: boolean) {
    const { statuses, nodeIP, world } = this.context
    const old = statuses.get(pod.metadata.uid) ?? pod.status
    const { reasons } = this.machine
    const status = podStatus({ pod, view, old, reasons, probes: this.probes, terminal, nodeIP, now: world.clock.now })
    return this.amend ? this.amend(status) : status
  }

  /** Looks again when there is something to look for: after a failure, or while a readiness probe has not answered. */
  private requeue({ failures }: SyncOutcome): void {
    const { world, random } = this.context
    const { now } = world.clock
    this.requeueTimer?.cancel()
    if (failures.length === 0 && this.settled()) return
    let delay = RESYNC_INTERVAL
    if (failures.length > 0) {
      const retries = failures.map((f) => f.retryAt).filter((at) => at !== undefined)
      delay = retries.length > 0 ? Math.min(...retries) - now : SYNC_BACKOFF
      delay = Math.min(Math.max(delay, 0), RESYNC_INTERVAL)
    }
    const due = now + delay + Math.round(random.next() * 0.5 * delay)
    this.requeueTimer = world.clock.at(nextTick(due, this.context.syncPhase, SYNC_TICK), () => this.update())
  }

  /** The regular sync of a pod that is as it should be changes nothing, and is left out. */
  private settled(): boolean {
    const status = this.context.statuses.get(this.pod.metadata.uid)
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
    return all.every((s) => s.state.running) && !this.probes.awaitsReadiness(all)
  }

  /** A grace period only ever gets shorter. Follows calculateEffectiveGracePeriod. */
  private effectiveGrace(): number {
    const override = this.pod.metadata.deletionGracePeriodSeconds
    let grace = this.graceSeconds
    if (override !== undefined && (grace === undefined || override < grace)) grace = override
    return Math.max(1, grace ?? this.pod.spec.terminationGracePeriodSeconds)
  }

  private reportSandbox(): void {
    const { statuses } = this.context
    const { uid, generation } = this.pod.metadata
    const status = statuses.get(uid) ?? this.pod.status
    const type = 'PodReadyToStartContainers'
    const ready = {
      type,
      status: 'True',
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    } as const
    statuses.set(this.pod, {
      ...status,
      conditions: [ready, ...(status.conditions ?? []).filter((c) => c.type !== type)],
    })
  }

  private watchDeadline(pod: Pod): void {
    const { world, statuses, syncPhase } = this.context
    const deadline = deadlineOf(pod, statuses.get(pod.metadata.uid))
    if (deadline === undefined || this.deadlineTimer) return
    this.deadlineTimer = world.clock.at(nextTick(deadline, syncPhase, SYNC_TICK), () => {
      if (this.terminatingAt !== undefined) return
      const message = 'Pod was active on the node longer than the specified deadline'
      this.context.event(this.pod, 'Normal', 'DeadlineExceeded', message)
      this.update()
    })
  }

  private probeContext() {
    const { context } = this
    const uid = this.pod.metadata.uid
    return {
      clock: context.world.clock,
      runtime: this.runtime,
      pod: () => this.pod,
      status: () => context.statuses.get(uid),
      set: (kind, containerID, result) => {
        if (!context.probeResults.set(kind, containerID, result)) return
        if (kind === 'readiness') context.statuses.setReady(this.pod, containerID, result === 'Success')
        if (kind === 'startup') context.statuses.setStarted(this.pod, containerID, result === 'Success')
        if (kind !== 'liveness' || result === 'Failure') this.update()
      },
      remove: (kind, containerID) => context.probeResults.remove(kind, containerID),
      unhealthy: (_container, reason, message) => context.event(this.pod, 'Warning', reason, message),
      unmodelled: (container, kind, command) => context.unmodelled(this.pod, container, `${kind} probe`, command),
    } satisfies ReturnType<ConstructorParameters<typeof PodProbes>[0]['context']>
  }
}

/** A container that ran when the machine went down, as the runtime loads it. Follows containerd's internal/cri/server/restart.go. */
function lostAt(view: ContainerView, at: Us): ContainerView {
  if (view.state === 'exited') return view
  return { ...view, state: 'exited', finishedAt: at, exitCode: 255, reason: 'Unknown' }
}
