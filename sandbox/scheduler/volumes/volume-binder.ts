import { ApiError } from '../../kube/errors.ts'
import { keyOf, Node, PersistentVolume, PersistentVolumeClaim } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { boundVolume, SELECTED_NODE } from '../../kube/volumes.ts'
import { sleep, type Task } from '../../world/actor.ts'
import type { Clock } from '../../world/clock.ts'
import { seconds } from '../../world/time.ts'
import { claimsOf, isDone, mountsClaims, type Plan, planFor } from './pod-volumes.ts'

/** How often bindings are looked at, first after one period; bindTimeoutSeconds of the plugin's arguments. */
const POLL = seconds(1)
const TIMEOUT = seconds(600)

/** Why volumes could not be bound: the pod goes back into the queue. */
export class VolumeBindingError extends Error {}

/** Binds a pod's volumes before the pod. Follows pkg/scheduler/framework/plugins/volumebinding/binder.go. */
export class VolumeBinder {
  readonly kube: Kube
  /** Volumes promised to claims, by name, until the cache has them bound. */
  readonly assumed = new Map<string, string>()
  private readonly clock: Clock
  private readonly plans = new Map<string, Plan>()

  constructor(options: { kube: Kube; clock: Clock }) {
    this.kube = options.kube
    this.clock = options.clock
  }

  /** Keeps for the pod what it will have on the node. Follows Reserve and AssumePodVolumes. */
  reserve(pod: o.Pod, nodeName: string): void {
    if (!mountsClaims(pod)) return
    const node = this.kube.get(Node, nodeName)
    const claims = claimsOf(this.kube, pod)
    if (!node || typeof claims === 'string') return
    const plan = planFor(this.kube, claims, node, this.assumed)
    if (Array.isArray(plan)) return
    const made = plan as Plan
    if (made.bindings.length + made.provisions.length === 0) return
    for (const { claim, volume } of made.bindings) this.assumed.set(volume.metadata.name, keyOf(claim))
    this.plans.set(pod.metadata.uid, made)
  }

  /** Asks for what was reserved and waits until it is bound. Throws a `VolumeBindingError`. Follows BindPodVolumes. */
  *bind(pod: o.Pod, nodeName: string): Task {
    const plan = this.plans.get(pod.metadata.uid)
    if (!plan) return
    const startedAt = this.clock.now
    try {
      yield* this.request(plan, nodeName)
      do {
        yield* sleep(POLL)
        if (this.clock.now - startedAt > TIMEOUT) throw new Error('binding volumes: context deadline exceeded')
      } while (!isDone(this.kube, plan, nodeName))
    } catch (error) {
      throw new VolumeBindingError((error as Error).message, { cause: error })
    } finally {
      this.release(pod)
    }
  }

  /** Forgets what was kept for a pod. */
  release(pod: o.Pod): void {
    const plan = this.plans.get(pod.metadata.uid)
    for (const { volume } of plan?.bindings ?? []) this.assumed.delete(volume.metadata.name)
    this.plans.delete(pod.metadata.uid)
  }

  private *request({ bindings, provisions }: Plan, nodeName: string): Task {
    for (const { claim, volume } of bindings)
      if (!volume.spec.claimRef?.uid) yield* this.kube.update(PersistentVolume, boundVolume(volume, claim))
    for (const claim of provisions) {
      if (claim.metadata.annotations?.[SELECTED_NODE] === nodeName) continue
      const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName }
      yield* this.kube.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations } })
    }
  }
}

/** Whether an error of `bind` is one the pod's cycle ends with. */
export const isBindingFailure = (error: unknown): error is Error =>
  error instanceof ApiError || error instanceof VolumeBindingError
