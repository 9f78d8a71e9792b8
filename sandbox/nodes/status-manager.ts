import { equal } from '../journal/merge-patch.ts'
import { isApiError } from '../kube/errors.ts'
import { keyOf, Pod as PodKind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Condition, ContainerStatus, Pod, PodStatus } from '../kube/objects.ts'
import { type Actor, Signal, type Task } from '../world/actor.ts'
import type { Timer } from '../world/clock.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { conditionsOf, isKubeletCondition } from './pod-conditions.ts'
import {
  hasInitialized,
  keepTransitionTimes,
  LOST,
  lastStarted,
  newInstances,
  sameByKubelet,
  withNulls,
} from './status-fields.ts'
import { nextTick, STATUS_SYNC_PERIOD } from './timings.ts'
import { isStarting, knownPod, type Traffic } from './traffic.ts'

interface Versioned {
  readonly status: PodStatus
  readonly version: number
  /** The pod worker is done: the API object may go. */
  readonly finished: boolean
  readonly key: string
}

export interface StatusManagerOptions {
  readonly world: World
  readonly kube: Kube
  readonly name: string
  /** When its ten-second ticker fires, modulo the period. */
  readonly phase: Us
  readonly traffic?: Traffic
  couldHaveRunningContainers(uid: string): boolean
  /** Called with the new status before it is stored, when a container instance in it is new. */
  containerChanged(uid: string, container: string): void
}

/**
 * The kubelet's own idea of each pod's status, and its way to the API server: one pod at a time, a read and a patch each, at once
 * when something changes and every ten seconds for what failed. Follows pkg/kubelet/status/status_manager.go.
 * The patch replaces the list of conditions, where upstream merges by type: a condition that someone else adds between the
 * read and the patch is lost.
 */
export class StatusManager {
  private readonly options: StatusManagerOptions
  private readonly statuses = new Map<string, Versioned>()
  private readonly sent = new Map<string, number>()
  /** Pods with a version not yet sent. */
  private readonly due = new Set<string>()
  private readonly failed = new Set<string>()
  /** Pods somebody else may have changed the status of, as the server last showed them. */
  private readonly doubted = new Map<string, Pod>()
  private readonly wake = new Signal()
  private readonly actor: Actor
  private retry: Timer | undefined

  constructor(options: StatusManagerOptions) {
    this.options = options
    this.actor = options.world.spawn(options.name, this.run())
  }

  get(uid: string): PodStatus | undefined {
    return this.statuses.get(uid)?.status
  }

  set(pod: Pod, status: PodStatus): void {
    this.update(pod, status, { force: pod.metadata.deletionTimestamp !== undefined, finished: false })
  }

  /** Readiness of one container, between syncs of its pod. */
  setReady(pod: Pod, containerID: string, ready: boolean): void {
    this.change(pod, containerID, (container) => (container.ready === ready ? undefined : { ...container, ready }))
  }

  setStarted(pod: Pod, containerID: string, started: boolean): void {
    this.change(pod, containerID, (container) =>
      container.started === started ? undefined : { ...container, started },
    )
  }

  /** The last status of a pod whose worker is done. */
  terminate(pod: Pod): void {
    const before = this.get(pod.metadata.uid) ?? pod.status
    const gone = (s: ContainerStatus): ContainerStatus =>
      s.state.terminated ? s : { ...s, state: { terminated: LOST } }
    const initialized = hasInitialized(pod)
    const init = before.initContainerStatuses
    const known = init ? lastStarted(init) : -1
    const status: PodStatus = {
      ...before,
      phase: before.phase === 'Succeeded' || before.phase === 'Failed' ? before.phase : 'Failed',
      ...(before.containerStatuses && initialized ? { containerStatuses: before.containerStatuses.map(gone) } : {}),
      ...(init ? { initContainerStatuses: init.map((s, i) => (i <= known ? gone(s) : s)) } : {}),
    }
    this.update(pod, status, { force: true, finished: true })
  }

  /** A finished pod is being deleted after all: looked at when the ticker fires next. */
  recheck(uid: string): void {
    if (!this.statuses.get(uid)?.finished) return
    this.failed.add(uid)
    this.retryLater()
  }

  /** The server shows the pod so: what differs from the kubelet's own idea is sent again when the ticker fires next. */
  seen(pod: Pod): void {
    const { uid } = pod.metadata
    const own = this.statuses.get(uid)
    if (!own || this.sent.get(uid) !== own.version) return
    if (sameByKubelet(pod.status, this.merge(pod, own.status))) {
      this.doubted.delete(uid)
      return
    }
    this.doubted.set(uid, pod)
    this.retryLater()
  }

  forget(uid: string): void {
    this.doubted.delete(uid)
    this.statuses.delete(uid)
    this.sent.delete(uid)
    this.due.delete(uid)
    this.failed.delete(uid)
  }

  stop(): void {
    this.actor.stop()
    this.retry?.cancel()
  }

  private change(
    pod: Pod,
    containerID: string,
    change: (container: ContainerStatus) => ContainerStatus | undefined,
  ): void {
    const before = this.get(pod.metadata.uid)
    if (!before) return
    let changed = false
    const map = (statuses: ContainerStatus[] | undefined) =>
      statuses?.map((s) => {
        const next = s.containerID === containerID ? change(s) : undefined
        changed ||= next !== undefined
        return next ?? s
      })
    const status = { ...before }
    const [regular, init] = [map(before.containerStatuses), map(before.initContainerStatuses)]
    if (!changed) return
    if (regular) status.containerStatuses = regular
    if (init) status.initContainerStatuses = init
    const sandboxReady = before.conditions?.find((c) => c.type === 'PodReadyToStartContainers')?.status === 'True'
    const others = (before.conditions ?? []).filter((c) => !isKubeletCondition(c.type))
    const fresh = conditionsOf(pod, status, { sandboxReady, others })
    // only these two follow at once; the rest waits for the pod's next sync
    status.conditions = (before.conditions ?? []).map((c) =>
      c.type === 'Ready' || c.type === 'ContainersReady' ? (fresh.find((f) => f.type === c.type) ?? c) : c,
    )
    this.update(pod, status, { force: false, finished: false })
  }

  private update(pod: Pod, given: PodStatus, { force, finished }: { force: boolean; finished: boolean }): void {
    const { uid, generation } = pod.metadata
    const cached = this.statuses.get(uid)
    const old = cached?.status ?? pod.status
    const { now } = this.options.world.clock
    const status: PodStatus = { ...given, startTime: old.startTime ?? toRfc3339(now) }
    if (given.conditions) status.conditions = keepTransitionTimes(given.conditions, old.conditions ?? NONE, now)
    if (generation !== undefined) status.observedGeneration = generation
    if (cached && !force && equal(cached.status, status)) return
    for (const name of newInstances(old, status)) this.options.containerChanged(uid, name)
    const version = (cached?.version ?? 0) + 1
    this.statuses.set(uid, { status, version, finished: finished || cached?.finished === true, key: keyOf(pod) })
    this.due.add(uid)
    this.wake.notify()
  }

  private *run(): Task {
    for (;;) {
      while (this.due.size === 0) yield* this.wake.wait()
      const batch = [...this.due]
      this.due.clear()
      for (const uid of batch) {
        try {
          yield* this.send(uid)
        } catch (error) {
          if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error
          this.failed.add(uid)
          this.retryLater()
        }
      }
    }
  }

  private retryLater(): void {
    if (this.retry) return
    const { clock } = this.options.world
    this.retry = clock.at(nextTick(clock.now + 1, this.options.phase, STATUS_SYNC_PERIOD), () => {
      this.retry = undefined
      for (const uid of this.failed) this.due.add(uid)
      this.failed.clear()
      for (const [uid, pod] of this.doubted) {
        const own = this.statuses.get(uid)
        if (!own || sameByKubelet(pod.status, this.merge(pod, own.status))) continue
        this.sent.delete(uid)
        this.due.add(uid)
      }
      this.doubted.clear()
      this.wake.notify()
    })
  }

  private *send(uid: string): Task {
    const { kube } = this.options
    const due = this.statuses.get(uid)
    const least = this.options.traffic === 'least'
    if (!due || (least && isStarting(due.status))) return
    const known = least ? knownPod(kube, due.key, uid) : undefined
    let server: Pod
    try {
      server = known ?? (yield* kube.read(PodKind, due.key))
    } catch (error) {
      if (isApiError(error, 'NotFound')) return
      throw error
    }
    if (server.metadata.uid !== uid) {
      this.forget(uid)
      return
    }
    if ((this.sent.get(uid) ?? 0) < due.version) {
      const merged = this.merge(server, due.status)
      const { resourceVersion } = server.metadata
      const patch = { metadata: { uid, ...(known && { resourceVersion }) }, status: withNulls(server.status, merged) }
      server = equal(server.status, merged)
        ? server
        : yield* kube.patch(PodKind, due.key, patch, { subresource: 'status' })
      this.sent.set(uid, due.version)
    }
    const terminal = server.status.phase === 'Succeeded' || server.status.phase === 'Failed'
    if (!server.metadata.deletionTimestamp || !terminal || !due.finished) return
    yield* kube.delete(PodKind, due.key, { gracePeriodSeconds: 0, uid })
    this.forget(uid)
  }

  /** Conditions of others stay; a terminal phase waits until no container can be running. Follows mergePodStatus. */
  private merge(server: Pod, status: PodStatus): PodStatus {
    const old = server.status
    const conditions = mergedConditions(old.conditions ?? NONE, status.conditions ?? NONE)
    let merged = status
    if (conditions !== status.conditions || (old.qosClass && old.qosClass !== status.qosClass)) {
      merged = { ...status, conditions }
      if (old.qosClass) merged.qosClass = old.qosClass
    }
    const terminal = (phase: string) => phase === 'Succeeded' || phase === 'Failed'
    if (
      !terminal(old.phase) &&
      terminal(merged.phase) &&
      this.options.couldHaveRunningContainers(server.metadata.uid)
    ) {
      const { reason: _r, message: _m, ...rest } = merged
      merged = { ...rest, phase: old.phase }
      if (old.reason !== undefined) merged.reason = old.reason
      if (old.message !== undefined) merged.message = old.message
    }
    if (!terminal(merged.phase)) return merged
    const reason = merged.phase === 'Failed' ? 'PodFailed' : 'PodCompleted'
    return {
      ...merged,
      conditions: conditions.map((c) =>
        (c.type === 'Ready' || c.type === 'ContainersReady') && c.status === 'True'
          ? { type: c.type, status: 'False', reason, lastTransitionTime: toRfc3339(this.options.world.clock.now) }
          : c,
      ),
    }
  }
}

/** Its own conditions, and before them those of others. The very same list when there are no others. */
function mergedConditions(old: readonly Condition[], given: Condition[]): Condition[] {
  const isOwn = (c: Condition) => isKubeletCondition(c.type) || c.reason === BY_KUBELET
  const own = given.every(isOwn) ? given : given.filter(isOwn)
  const others = old.filter((c) => !isKubeletCondition(c.type) && !own.some((o) => o.type === c.type))
  return others.length === 0 ? own : [...others, ...own]
}

const NONE: Condition[] = []

/** The kubelet shares DisruptionTarget with controllers, and says so by this reason. */
const BY_KUBELET = 'TerminationByKubelet'
