import { ApiError, isApiError } from '../kube/errors.ts'
import { keyOf, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { allSettled, type Task } from '../world/actor.ts'
import type { World } from '../world/world.ts'
import { Action } from './framework/events.ts'
import type { PodInfo } from './framework/pod-info.ts'
import type { Candidate } from './pick-candidate.ts'
import { patchPodStatus } from './pod-status.ts'
import type { Gate, SchedulingQueue } from './queue/scheduling-queue.ts'

/** Sends victims away beside the scheduling loop, and holds their pod back meanwhile. Follows pkg/scheduler/framework/preemption/executor.go. */
export class PreemptionExecutor implements Gate {
  readonly name = 'DefaultPreemption'
  /** A deletion opens the gate; whether the pod may fit is for the plugins that rejected it to say. */
  readonly events = [{ resource: 'Pod' as const, actions: Action.Delete, hint: () => false }]
  private readonly world: World
  private readonly kube: Kube
  private readonly running = new Set<string>()
  private readonly lastVictims = new Map<string, string>()

  constructor(options: { world: World; kube: Kube }) {
    this.world = options.world
    this.kube = options.kube
  }

  /** False while the pod's victims are being deleted: until the last is seen to go. */
  admits({ metadata: { uid } }: o.Pod): boolean {
    if (!this.running.has(uid)) return true
    const last = this.lastVictims.get(uid)
    if (last === undefined) return false
    const victim = this.kube.get(Pod, last)
    return !victim || victim.metadata.deletionTimestamp !== undefined
  }

  start(candidate: Candidate, preemptor: PodInfo, queue: SchedulingQueue): void {
    const { node } = candidate
    const going = goingFrom(candidate).map(({ pod }) => pod)
    if (going.length === 0) return
    this.running.add(preemptor.uid)
    this.world.spawn(`kube-scheduler/preemption/${keyOf(preemptor.pod)}`, this.run(node, going, preemptor, queue))
  }

  private *run(node: string, victims: readonly o.Pod[], preemptor: PodInfo, queue: SchedulingQueue): Task {
    for (const { pod } of outranked(queue.nominator.on(node), preemptor))
      yield* this.tolerant(this.takePromiseBack(pod))
    const last = victims.at(-1)!
    const outcomes = yield* allSettled(victims.slice(0, -1).map((victim) => this.preempt(victim, preemptor.pod, node)))
    let failed = outcomes.some((outcome) => 'error' in outcome)
    if (!failed) {
      this.lastVictims.set(preemptor.uid, keyOf(last))
      failed = !(yield* this.tolerant(this.preempt(last, preemptor.pod, node)))
    }
    this.running.delete(preemptor.uid)
    this.lastVictims.delete(preemptor.uid)
    // no deletion may come to move the pod: try it again
    if (failed) queue.activate(preemptor.pod)
  }

  private *preempt(victim: o.Pod, preemptor: o.Pod, node: string): Task {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True' as const,
      reason: 'PreemptionByScheduler',
      message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    }
    try {
      yield* patchPodStatus(this.kube, victim, { condition }, () => this.world.clock.now)
      yield* this.kube.delete(Pod, keyOf(victim))
    } catch (error) {
      if (isApiError(error, 'NotFound')) return
      throw error
    }
    const message = `Preempted by pod ${preemptor.metadata.uid} on node ${node}`
    this.kube.event(victim, 'Normal', 'Preempted', message)
  }

  private *takePromiseBack(pod: o.Pod): Task {
    yield* patchPodStatus(this.kube, pod, { nominatedNodeName: '' }, () => this.world.clock.now)
  }

  /** Whether the task met no error of the API server. */
  private *tolerant(task: Task): Task<boolean> {
    try {
      yield* task
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.world.journal.append({ type: 'note', by: this.kube.process, about: this.name, text: error.message })
      return false
    }
  }
}

/** The victims that are not on their way out already. */
export const goingFrom = (candidate: Candidate | undefined): PodInfo[] =>
  candidate?.victims.filter(({ pod }) => !pod.metadata.deletionTimestamp) ?? []

/** Of the pods that are promised a node those that lose it to the pod. Follows getLowerPriorityNominatedPods. */
export const outranked = (promised: readonly PodInfo[], { priority }: PodInfo): PodInfo[] =>
  promised.filter((other) => other.priority < priority)
