import { keyOf } from '../../kube/kinds.ts'
import type { KubeObject, Pod } from '../../kube/objects.ts'
import { Signal } from '../../world/actor.ts'
import type { Clock, Timer } from '../../world/clock.ts'
import { minutes, seconds, type Us } from '../../world/time.ts'
import { type ClusterEvent, podChanges, WILDCARD } from '../framework/events.ts'
import { podInfo } from '../framework/pod-info.ts'
import { type Backoff, BackoffQueue } from './backoff-queue.ts'
import { KeyedHeap } from './heap.ts'
import { HintMap, type Listener } from './hints.ts'
import { InFlight } from './in-flight.ts'
import { Nominator } from './nominator.ts'
import { comesFirst, type QueuedPod, queuedPod } from './queued-pod.ts'

const MAX_IN_UNSCHEDULABLE: Us = minutes(5)
const FLUSH_PERIOD: Us = seconds(30)

/** Says whether a pod may be tried at all. */
export interface Gate extends Listener {
  admits(pod: Pod): boolean
}

/**
 * Pods without a node: those to be tried now, those backing off, and those that wait for a change of the cluster.
 * Follows pkg/scheduler/backend/queue/scheduling_queue.go (1.36: queueing hints, early pops from the backoff queue).
 */
export class SchedulingQueue {
  /** Notified when there may be a pod to pop. */
  readonly ready = new Signal()
  readonly nominator: Nominator
  private readonly clock: Clock
  private readonly startedAt: Us
  private readonly gates: readonly Gate[]
  private readonly hints: HintMap
  private readonly hintsByScheduler: ReadonlyMap<string, HintMap> | undefined
  private readonly active = new KeyedHeap<QueuedPod>({ key: (pod) => pod.key, before: comesFirst })
  private readonly backoff: BackoffQueue
  private readonly unschedulable = new Map<string, QueuedPod>()
  private readonly inFlight = new InFlight()
  private sequence = 0
  private flush: Timer | undefined

  /**
   * `lister` gives pods as the scheduler's cache has them; `listeners` are the plugins; `byScheduler` those of each profile,
   * where there are several.
   */
  constructor(options: {
    clock: Clock
    listeners: readonly Listener[]
    gates: readonly Gate[]
    lister: (key: string) => Pod | undefined
    byScheduler?: ReadonlyMap<string, readonly Listener[]> | undefined
    backoff?: Backoff | undefined
  }) {
    this.clock = options.clock
    this.startedAt = options.clock.now
    this.gates = options.gates
    this.hints = new HintMap([...options.gates, ...options.listeners])
    this.hintsByScheduler =
      options.byScheduler &&
      new Map([...options.byScheduler].map(([name, own]) => [name, new HintMap([...options.gates, ...own])]))
    this.nominator = new Nominator(options.lister)
    this.backoff = new BackoffQueue({
      clock: options.clock,
      durations: options.backoff,
      onCompleted: (pods) => this.activateAll(pods),
    })
  }

  /** How many pods wait where. */
  get sizes(): { active: number; backoff: number; unschedulable: number } {
    return { active: this.active.size, backoff: this.backoff.size, unschedulable: this.unschedulable.size }
  }

  add(pod: Pod): void {
    this.toActive(this.newPod(pod), { nominates: true })
  }

  update(before: Pod, after: Pod): void {
    const events = podChanges(before, after)
    if (this.inFlight.has(after.metadata.uid)) {
      for (const event of events) this.inFlight.record({ event, before, after })
      return
    }
    const key = keyOf(after)
    const queued = this.active.get(key) ?? this.backoff.get(key) ?? this.unschedulable.get(key)
    if (!queued) {
      this.add(after)
      return
    }
    queued.info = podInfo(after)
    this.nominator.update(before, queued.info)
    if (this.active.get(key)) this.active.set(queued)
    else if (this.backoff.get(key)) this.backoff.refresh(queued)
    else
      for (const event of events) {
        if (!this.hintsOf(after).isWorthIt(queued, { event, before, after })) continue
        this.requeue(queued)
        if (!this.unschedulable.has(key)) return
      }
  }

  delete(pod: Pod): void {
    const key = keyOf(pod)
    this.nominator.delete(pod.metadata.uid)
    if (!this.active.delete(key) && !this.backoff.delete(key)) this.unschedulable.delete(key)
  }

  /** The next pod to try: when none is due, one still backing off. It is in flight until `done` or `addUnschedulable`. */
  pop(): QueuedPod | undefined {
    const next = this.active.pop() ?? this.backoff.popEarly()
    if (!next) return undefined
    next.attempts++
    this.inFlight.begin(next.info.uid)
    return next
  }

  done(uid: string): void {
    this.inFlight.end(uid)
  }

  /** Takes back a popped pod that found no node, or met an error when nothing rejected it. */
  addUnschedulable(pod: QueuedPod): void {
    if (pod.rejectors.size === 0) pod.consecutiveErrors++
    else {
      pod.unschedulableCount++
      pod.consecutiveErrors = 0
    }
    this.stamp(pod)
    pod.backoffUntil = undefined
    const hints = this.hintsOf(pod.info.pod)
    const worthIt =
      pod.rejectors.size === 0 || this.inFlight.since(pod.info.uid).some((seen) => hints.isWorthIt(pod, seen))
    if (worthIt) this.requeue(pod)
    else this.toUnschedulable(pod)
    this.inFlight.end(pod.info.uid)
  }

  /** Something changed: moves the waiting pods that may fit now. */
  move(
    event: ClusterEvent,
    before: KubeObject | undefined,
    after: KubeObject | undefined,
    concerns: (pod: Pod) => boolean = () => true,
  ): void {
    if (this.unschedulable.size === 0 && this.inFlight.empty) return
    if (!this.hints.isOfInterest(event)) return
    const seen = { event, before, after }
    for (const pod of [...this.unschedulable.values()]) {
      if (!concerns(pod.info.pod) || (pod.gate && !this.hints.gateHears(pod.gate, event))) continue
      if (this.hintsOf(pod.info.pod).isWorthIt(pod, seen)) this.requeue(pod)
    }
    this.inFlight.record(seen)
  }

  /** Tries the pod as soon as may be, whatever rejected it. */
  activate(pod: Pod): void {
    const key = keyOf(pod)
    const waiting = this.unschedulable.get(key)
    const backingOff = waiting ? undefined : this.backoff.delete(key)
    if (waiting) this.toActive(waiting)
    else if (backingOff) this.toActive(backingOff, { admitted: true })
    else if (this.inFlight.has(pod.metadata.uid))
      this.inFlight.record({ event: WILDCARD, before: undefined, after: pod })
  }

  private hintsOf({ spec }: Pod): HintMap {
    return this.hintsByScheduler?.get(spec.schedulerName ?? '') ?? this.hints
  }

  private activateAll(pods: readonly QueuedPod[]): void {
    for (const pod of pods) this.toActive(pod, { admitted: true })
  }

  private requeue(pod: QueuedPod): void {
    if (this.backoff.isBackingOff(pod)) this.toBackoff(pod)
    else this.toActive(pod)
  }

  private toActive(pod: QueuedPod, how: { admitted?: boolean; nominates?: boolean } = {}): void {
    if (!how.admitted && !this.admit(pod)) {
      this.toUnschedulable(pod)
      return
    }
    this.unschedulable.delete(pod.key)
    this.backoff.delete(pod.key)
    this.active.set(pod)
    if (how.nominates) this.nominator.add(pod.info, undefined)
    this.ready.notify()
  }

  private toBackoff(pod: QueuedPod): void {
    if (!this.admit(pod)) {
      this.toUnschedulable(pod)
      return
    }
    this.unschedulable.delete(pod.key)
    this.backoff.add(pod)
    this.ready.notify()
  }

  private toUnschedulable(pod: QueuedPod): void {
    this.unschedulable.set(pod.key, pod)
    this.armFlush()
  }

  private admit(pod: QueuedPod): boolean {
    pod.gate = this.gates.find((gate) => !gate.admits(pod.info.pod))?.name
    if (pod.gate) pod.rejectors.add(pod.gate)
    return !pod.gate
  }

  /** Pods that no change has moved for five minutes are tried again. */
  private armFlush(): void {
    if (this.flush || this.unschedulable.size === 0) return
    const { now } = this.clock
    const periods = Math.floor((now - this.startedAt) / FLUSH_PERIOD) + 1
    this.flush = this.clock.at(this.startedAt + periods * FLUSH_PERIOD, () => {
      this.flush = undefined
      for (const pod of [...this.unschedulable.values()])
        if (this.clock.now - pod.timestamp > MAX_IN_UNSCHEDULABLE && !pod.gate) this.requeue(pod)
      this.armFlush()
    })
  }

  private newPod(pod: Pod): QueuedPod {
    return queuedPod(podInfo(pod), this.clock.now, this.sequence++)
  }

  private stamp(pod: QueuedPod): void {
    pod.timestamp = this.clock.now
    pod.sequence = this.sequence++
  }
}
