import type { Container, ContainerStatus, Pod, PodStatus, Probe } from '../../kube/objects.ts'
import type { Clock, Timer } from '../../world/clock.ts'
import { fromRfc3339, seconds, type Us } from '../../world/time.ts'
import { isSidecar, type PodRuntime } from '../pod-runtime.ts'
import { restartsAfter } from '../restart-policy.ts'
import { nextTick } from '../timings.ts'
import type { ProbeKind, ProbeResult } from './results.ts'
import { type PendingProbe, type ProbeOutcome, runProbe } from './run-probe.ts'

/** What a probe worker reaches outside itself. */
export interface ProbeWorkerContext {
  readonly clock: Clock
  readonly runtime: PodRuntime
  pod(): Pod
  /** The status manager's present status of the pod. */
  status(): PodStatus | undefined
  set(kind: ProbeKind, containerID: string, result: ProbeResult): void
  remove(kind: ProbeKind, containerID: string): void
  unhealthy(container: Container, reason: 'Unhealthy' | 'ProbeWarning', message: string): void
  unmodelled(container: Container, kind: ProbeKind, command: readonly string[]): void
  ended(): void
}

const INITIAL: Readonly<Record<ProbeKind, ProbeResult>> = {
  startup: 'Unknown',
  liveness: 'Success',
  readiness: 'Failure',
}

/** As messages name the kinds. */
const TITLE: Readonly<Record<ProbeKind, string>> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }

/**
 * One probe of one container: a ticker that began when the pod was first synced, not when the container started. Ticks while the
 * worker is on hold are left out, since they do nothing. Follows pkg/kubelet/prober/worker.go.
 */
export class ProbeWorker {
  readonly container: Container
  readonly kind: ProbeKind
  private readonly spec: Probe
  private readonly context: ProbeWorkerContext
  private readonly period: Us
  private base: Us
  private timer: Timer | undefined
  private containerID = ''
  private lastResult: ProbeResult | undefined
  private resultRun = 0
  private onHold = false
  private busy = false
  /** Ends the probe under way that waits for what is still to happen. */
  private giveUp: (() => void) | undefined
  private triggered = false
  private stopped = false
  private delayIsOver = false
  private foundIn: PodStatus | undefined
  private found: ContainerStatus | undefined

  /** `firstAt` is when the first probe is tried: now, or later in the random part of a period after a kubelet's start. */
  constructor(options: {
    container: Container
    kind: ProbeKind
    spec: Probe
    firstAt: Us
    context: ProbeWorkerContext
  }) {
    this.container = options.container
    this.kind = options.kind
    this.spec = options.spec
    this.context = options.context
    this.period = seconds(options.spec.periodSeconds)
    this.base = options.firstAt
    this.timer = this.context.clock.at(options.firstAt, this.onTick)
  }

  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.timer?.cancel()
    this.giveUp?.()
    if (this.containerID) this.context.remove(this.kind, this.containerID)
    this.context.ended()
  }

  /**
   * Probes now and restarts the ticker. Upstream wakes the worker's goroutine before the sync that asks has stored its status, a
   * race; the worker, needing microseconds, is taken to run first and to see the status from before that sync.
   */
  trigger(): void {
    if (this.stopped) return
    if (this.busy) {
      this.triggered = true
      return
    }
    this.base = this.context.clock.now
    this.tick()
  }

  /** The pod's status has a new container: a worker on hold goes back to its ticks. */
  containerChanged(): void {
    if (this.onHold && !this.timer && !this.busy && !this.stopped) this.arm(this.context.clock.now + 1)
  }

  private arm(from: Us): void {
    this.timer?.cancel()
    this.timer = this.context.clock.at(nextTick(from, this.base, this.period), this.onTick)
  }

  private readonly onTick = (): void => this.tick()

  private tick(): void {
    this.timer?.cancel()
    this.timer = undefined
    const keepGoing = this.probeOnce()
    if (this.stopped) return
    if (!keepGoing) this.stop()
    else if (!this.busy && !this.onHold) this.arm(this.context.clock.now + 1)
  }

  /** Whether the worker should continue; `busy` when a probe is under way. */
  private probeOnce(): boolean {
    const { clock } = this.context
    const status = this.context.status()
    if (!status) return true
    if (status.phase === 'Failed' || status.phase === 'Succeeded') return false
    const found = this.find(status)
    if (!found) return true
    this.adopt(found.containerID!)
    if (this.onHold) return true
    if (!found.state.running) return this.notRunning(found)
    const pod = this.context.pod()
    if (pod.metadata.deletionTimestamp && this.kind !== 'readiness') {
      this.context.set(this.kind, this.containerID, 'Success')
      return false
    }
    if (!this.delayIsOver) {
      const runningFor = clock.now - fromRfc3339(found.state.running.startedAt)
      if (Math.trunc(runningFor / 1e6) < (this.spec.initialDelaySeconds ?? 0)) return true
      this.delayIsOver = true
    }
    if ((found.started === true) === (this.kind === 'startup')) return true
    const target = { runtime: this.context.runtime, container: this.container, podIP: status.podIP ?? '' }
    this.begin(runProbe(this.spec, target))
    return true
  }

  /** Statuses are immutable: the last answer holds for the same one. */
  private find(status: PodStatus): ContainerStatus | undefined {
    if (this.foundIn === status) return this.found
    const of = (statuses: readonly ContainerStatus[] = []) =>
      statuses.find((s) => s.name === this.container.name && s.containerID)
    this.foundIn = status
    this.found = of(status.containerStatuses) ?? of(status.initContainerStatuses)
    return this.found
  }

  private adopt(id: string): void {
    if (this.containerID === id) return
    if (this.containerID) this.context.remove(this.kind, this.containerID)
    this.containerID = id
    this.onHold = false
    this.delayIsOver = false
    this.context.set(this.kind, id, INITIAL[this.kind])
  }

  private notRunning(found: ContainerStatus): boolean {
    this.context.set(this.kind, this.containerID, 'Failure')
    const { terminated } = found.state
    return !terminated || restartsAfter(this.container, this.context.pod().spec, terminated.exitCode)
  }

  /** A success that changes nothing is counted at once; everything else is judged when its answer is there. */
  private begin(outcome: ProbeOutcome | PendingProbe): void {
    const { clock } = this.context
    if (outcome.kind === 'pending') {
      this.busy = true
      const startedAt = clock.now
      this.giveUp = outcome.begin(clock, (last) => this.finish(last, startedAt))
      return
    }
    const steady = outcome.kind === 'success' && this.lastResult === 'Success' && outcome.afterUs < this.period
    if (outcome.afterUs === 0 || (steady && this.resultRun >= this.spec.successThreshold)) {
      this.judge(outcome)
      return
    }
    this.busy = true
    const startedAt = clock.now
    clock.after(outcome.afterUs, () => this.finish(outcome, startedAt))
  }

  /** The probe begun at `startedAt` has its outcome now. */
  private finish(outcome: ProbeOutcome, startedAt: Us): void {
    const { clock } = this.context
    this.busy = false
    this.giveUp = undefined
    if (this.stopped) return
    this.judge(outcome)
    if (this.stopped || this.onHold) return
    // a tick that passed meanwhile is kept in the ticker's channel, as is a trigger
    const missed = nextTick(startedAt + 1, this.base, this.period) <= clock.now
    if (this.triggered) this.base = clock.now
    if (this.triggered || missed) {
      this.triggered = false
      this.tick()
    } else this.arm(clock.now + 1)
  }

  private judge(outcome: ProbeOutcome): void {
    const result = this.report(outcome)
    if (!result) return
    if (this.lastResult === result) this.resultRun++
    else {
      this.lastResult = result
      this.resultRun = 1
    }
    const { failureThreshold, successThreshold } = this.spec
    if (this.resultRun < (result === 'Failure' ? failureThreshold : successThreshold)) return
    const holds = this.kind === 'startup' || (this.kind === 'liveness' && result === 'Failure')
    // on hold before the others hear of it: what they do in return may be to ask for a new container
    if (holds) {
      this.onHold = true
      this.resultRun = 0
    }
    this.context.set(this.kind, this.containerID, result)
  }

  private report(outcome: ProbeOutcome): ProbeResult | undefined {
    const title = TITLE[this.kind]
    switch (outcome.kind) {
      case 'success':
        return 'Success'
      case 'warning':
        this.context.unhealthy(this.container, 'ProbeWarning', `${title} probe warning: ${outcome.output}`)
        return 'Success'
      case 'failure':
        this.context.unhealthy(this.container, 'Unhealthy', `${title} probe failed: ${outcome.output}`)
        return 'Failure'
      case 'error':
        this.context.unhealthy(
          this.container,
          'Unhealthy',
          `${title} probe errored and resulted in unknown state: ${outcome.output}`,
        )
        return undefined
      case 'unmodelled':
        this.context.unmodelled(this.container, this.kind, outcome.command)
        return 'Success'
    }
  }
}

/** The containers that can have probes, in the order in which their workers start. Follows prober_manager.go AddPod. */
export const probedContainers = (pod: Pod): readonly Container[] => [
  ...pod.spec.containers,
  ...(pod.spec.initContainers ?? []).filter(isSidecar),
]
