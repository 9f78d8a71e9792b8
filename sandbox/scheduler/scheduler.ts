import { ApiError } from '../kube/errors.ts'
import { keyOf, Pod, PodDisruptionBudget } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { type Actor, sleep, type Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Decision } from './algorithm.ts'
import { SchedulerCache } from './cache.ts'
import type { SchedulerConfiguration } from './config/configuration.ts'
import { type Profile, pluginsByScheduler, profilesOf } from './config/profiles.ts'
import type { DisruptionBudget } from './disruption-budgets.ts'
import { schedulerOf, watchCluster } from './event-handlers.ts'
import { ASSIGNED_POD_DELETE } from './framework/events.ts'
import { fitMessage } from './framework/fit-error.ts'
import { schedulingGates } from './framework/plugins/scheduling-gates.ts'
import { type PodInfo, podInfo } from './framework/pod-info.ts'
import { patchPodStatus } from './pod-status.ts'
import { postFilter } from './post-filter.ts'
import { PreemptionExecutor } from './preemption-executor.ts'
import type { QueuedPod } from './queue/queued-pod.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'
import { isBindingFailure, VolumeBinder } from './volumes/volume-binder.ts'

export interface SchedulerOptions {
  readonly world: World
  /** A client of the process `kube-scheduler`. */
  readonly kube: Kube
  /** Whether claims are bound and count for where pods go; otherwise pods with claims go anywhere. */
  readonly volumes?: boolean
  /** What one cycle takes of the scheduler's time, besides waiting for the API server. 0 when left out. */
  readonly cycleTime?: Us
  /** The PodDisruptionBudgets preemption goes by. Those in the scheduler's cache when left out. */
  readonly budgets?: () => readonly DisruptionBudget[]
  /** Profiles, strategies, backoff. Upstream's default profile when left out. */
  readonly configuration?: SchedulerConfiguration
}

/** Starts the scheduler for the pods of its profiles: `default-scheduler` unless configured. Follows pkg/scheduler/scheduler.go. */
export function runScheduler(options: SchedulerOptions): Scheduler {
  return new Scheduler(options)
}

/** Why a cycle failed. `plugins`: those that rejected the pod; none for an error. `nominate` as in PreemptionOutcome. */
interface Failure {
  readonly message: string
  readonly reason: 'Unschedulable' | 'SchedulerError'
  readonly plugins: ReadonlySet<string>
  readonly nominate: string | undefined
}

/** The kube-scheduler: one pod at a time finds its node; bindings go on beside. Follows pkg/scheduler/schedule_one.go. */
export class Scheduler {
  readonly queue: SchedulingQueue
  readonly cache = new SchedulerCache()
  private readonly world: World
  private readonly kube: Kube
  private readonly options: SchedulerOptions
  private readonly volumes: VolumeBinder | undefined
  private readonly profiles: ReadonlyMap<string, Profile>
  private readonly budgets: () => readonly DisruptionBudget[]
  private readonly executor: PreemptionExecutor
  private readonly loop: Actor
  private readonly unwatch: () => void

  constructor(options: SchedulerOptions) {
    const { world } = options
    this.world = world
    this.options = options
    this.kube = options.kube.client('scheduler')
    this.volumes = options.volumes ? new VolumeBinder({ kube: this.kube, clock: world.clock }) : undefined
    const plugins = pluginsByScheduler(options, this.kube, this.volumes)
    this.executor = new PreemptionExecutor({ world, kube: this.kube })
    this.queue = new SchedulingQueue({
      clock: world.clock,
      listeners: [...plugins.values()].flat(),
      byScheduler: plugins.size > 1 ? plugins : undefined,
      backoff: options.configuration?.podBackoff,
      gates: [schedulingGates, this.executor],
      lister: (key) => this.kube.get(Pod, key),
    })
    const shared = { cache: this.cache, nominations: this.queue.nominator }
    this.profiles = profilesOf(plugins, shared, options)
    // the first look starts the informer
    this.kube.list(PodDisruptionBudget)
    this.budgets = options.budgets ?? (() => this.kube.list(PodDisruptionBudget))
    this.unwatch = watchCluster({
      kube: this.kube,
      cache: this.cache,
      queue: this.queue,
      volumes: options.volumes ?? false,
      isOurs: (pod) => this.profiles.has(schedulerOf(pod)),
    })
    this.loop = world.spawn('kube-scheduler', this.run())
  }

  private profileOf(pod: o.Pod): Profile {
    return this.profiles.get(schedulerOf(pod))!
  }

  stop(): void {
    this.unwatch()
    this.loop.stop()
  }

  private *run(): Task {
    for (;;) {
      const next = this.queue.pop()
      if (next) yield* this.scheduleOne(next)
      else yield* this.queue.ready.wait()
    }
  }

  private *scheduleOne(queued: QueuedPod): Task {
    const { info } = queued
    if (info.pod.metadata.deletionTimestamp || this.cache.isAssumed(info.uid)) return this.queue.done(info.uid)
    if (this.options.cycleTime) yield* sleep(this.options.cycleTime)
    const decision = this.profileOf(info.pod).algorithm.schedule(info)
    if (decision.kind !== 'node') return yield* this.failed(queued, this.failureOf(info, decision))
    const assumed = this.cache.assume(info, decision.node.name)
    this.volumes?.reserve(assumed.pod, decision.node.name)
    this.queue.nominator.delete(info.uid)
    this.queue.done(info.uid)
    this.world.spawn(`kube-scheduler/bind/${queued.key}`, this.bind(queued, assumed, decision.node.name))
  }

  /** Follows bindingCycle and handleBindingCycleError. */
  private *bind(queued: QueuedPod, assumed: PodInfo, nodeName: string): Task {
    const { namespace, name, uid } = assumed.pod.metadata
    let plugin = 'PreBind plugin "VolumeBinding"'
    try {
      if (this.volumes) yield* this.volumes.bind(assumed.pod, nodeName)
      plugin = 'Bind plugin "DefaultBinder"'
      yield* this.kube.bind(queued.key, uid, nodeName)
    } catch (error) {
      if (!isBindingFailure(error)) throw error
      this.cache.forget(uid)
      this.queue.move(ASSIGNED_POD_DELETE, assumed.pod, undefined)
      const message = `running ${plugin}: ${error.message}`
      return yield* this.failed(queued, { message, reason: 'SchedulerError', plugins: new Set(), nominate: '' })
    }
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`
    this.kube.event(assumed.pod, 'Normal', 'Scheduled', message)
  }

  /** Looks for victims, starts sending them away, and says why the pod did not fit. */
  private failureOf(info: PodInfo, decision: Exclude<Decision, { kind: 'node' }>): Failure {
    const reason = 'Unschedulable'
    if (decision.kind === 'no-nodes')
      return { reason, message: 'no nodes available to schedule pods', plugins: new Set(), nominate: '' }
    if (decision.kind === 'error')
      return { reason: 'SchedulerError', message: decision.message, plugins: new Set(), nominate: '' }
    const { filters, diagnosis, nodes } = decision
    const { plugins } = diagnosis
    const listed = this.kube.get(Pod, keyOf(info.pod))
    if (!listed) return { reason, message: fitMessage(nodes, diagnosis), plugins, nominate: undefined }
    const preemptor = podInfo(listed)
    const outcome = postFilter(this.profileOf(listed).preemption, preemptor, filters, diagnosis, {
      now: this.world.clock.now,
      budgets: this.budgets(),
    })
    if (outcome.candidate) this.executor.start(outcome.candidate, preemptor, this.queue)
    const message = fitMessage(nodes, { ...diagnosis, postFilterMessage: outcome.message })
    return { reason, message, plugins, nominate: outcome.nominate }
  }

  /** Puts the pod back, and tells. The scheduler waits for the API server here. Follows handleSchedulingFailure. */
  private *failed(queued: QueuedPod, { message, reason, plugins, nominate }: Failure): Task {
    queued.rejectors = new Set(plugins)
    queued.gate = undefined
    const listed = this.kube.get(Pod, queued.key)
    if (!listed || listed.spec.nodeName) this.queue.done(queued.info.uid)
    else if (listed.metadata.uid !== queued.info.uid) return this.queue.done(queued.info.uid)
    else {
      queued.info = podInfo(listed)
      this.queue.addUnschedulable(queued)
    }
    this.queue.nominator.add(queued.info, nominate)
    const { pod } = queued.info
    this.kube.event(pod, 'Warning', 'FailedScheduling', truncate(message))
    const condition = { type: 'PodScheduled', status: 'False' as const, reason, message }
    try {
      const change = nominate === undefined ? { condition } : { condition, nominatedNodeName: nominate }
      yield* patchPodStatus(this.kube, pod, change, () => this.world.clock.now)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.world.journal.append({ type: 'note', by: this.kube.process, about: queued.key, text: error.message })
    }
  }
}

const NOTE_LENGTH_MAX = 1024

/** Events hold no more. Follows truncateMessage. */
const truncate = (message: string): string =>
  message.length <= NOTE_LENGTH_MAX ? message : `${message.slice(0, NOTE_LENGTH_MAX - 4)} ...`
