import {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  type Kind,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttachment,
} from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import type { SchedulerCache } from './cache.ts'
import {
  Action,
  ASSIGNED_POD_ADD,
  ASSIGNED_POD_DELETE,
  NODE_ADD,
  NODE_DELETE,
  nodeChanges,
  podChanges,
  type StorageResource,
} from './framework/events.ts'
import type { SchedulingQueue } from './queue/scheduling-queue.ts'

const isAssigned = (pod: o.Pod): boolean => Boolean(pod.spec.nodeName)

/** The name by which a pod asks for a scheduler. */
export const schedulerOf = (pod: o.Pod): string => pod.spec.schedulerName ?? DEFAULT_SCHEDULER
/** Finished pods hold nothing: the scheduler's informer does not list them. */
const isFinished = (pod: o.Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

export const DEFAULT_SCHEDULER = 'default-scheduler'

/** Keeps cache and queue as the watches say. Follows pkg/scheduler/eventhandlers.go. Returns how to stop. */
export function watchCluster(options: {
  kube: Kube
  cache: SchedulerCache
  queue: SchedulingQueue
  /** Whether a profile of this scheduler is for the pod. */
  isOurs: (pod: o.Pod) => boolean
  volumes?: boolean
}): () => void {
  const { kube, cache, queue, isOurs } = options
  const stopNodes = kube.watch(Node, {
    added(node) {
      cache.setNode(node)
      queue.move(NODE_ADD, undefined, node)
    },
    updated(before, node) {
      cache.setNode(node)
      for (const event of nodeChanges(before, node)) queue.move(event, before, node)
    },
    deleted(node) {
      queue.move(NODE_DELETE, node, undefined)
      cache.removeNode(node)
    },
  })
  const pods = new PodHandlers(cache, queue, isOurs)
  const stopPods = kube.watch(Pod, {
    added(pod) {
      if (!isFinished(pod)) pods.added(pod)
    },
    updated(before, after) {
      if (isFinished(before)) return
      // to a watch that leaves out finished pods, finishing is deletion
      if (isFinished(after)) pods.deleted(after)
      else if (before.metadata.uid === after.metadata.uid) pods.updated(before, after)
      else {
        pods.deleted(before)
        pods.added(after)
      }
    },
    deleted(pod) {
      if (!isFinished(pod)) pods.deleted(pod)
    },
  })
  const stopStorage = options.volumes ? watchStorage(kube, queue) : []
  return () => {
    for (const stop of [stopNodes, stopPods, ...stopStorage]) stop()
  }
}

const STORAGE: readonly Kind[] = [
  ...[PersistentVolumeClaim, PersistentVolume, StorageClass, CSINode, CSIDriver, CSIStorageCapacity, VolumeAttachment],
]

/** Changes of what the plugins of volumes look at. Follows addAllEventHandlers. */
const watchStorage = (kube: Kube, queue: SchedulingQueue): (() => void)[] =>
  STORAGE.map((kind) => {
    const event = (action: number) => ({ resource: kind.kind as StorageResource, action })
    return kube.watch(kind, {
      added: (object) => queue.move(event(Action.Add), undefined, object),
      updated: (before, after) => queue.move(event(Action.Update), before, after),
      deleted: (object) => queue.move(event(Action.Delete), object, undefined),
    })
  })

class PodHandlers {
  private readonly cache: SchedulerCache
  private readonly queue: SchedulingQueue
  private readonly isOurs: (pod: o.Pod) => boolean

  constructor(cache: SchedulerCache, queue: SchedulingQueue, isOurs: (pod: o.Pod) => boolean) {
    this.cache = cache
    this.queue = queue
    this.isOurs = isOurs
  }

  added(pod: o.Pod): void {
    if (isAssigned(pod)) this.addAssigned(pod)
    else if (this.isOurs(pod)) this.queue.add(pod)
  }

  updated(before: o.Pod, after: o.Pod): void {
    if (isAssigned(before)) {
      this.cache.updatePod(after)
      for (const event of podChanges(before, after)) this.queue.move(event, before, after)
    } else if (isAssigned(after)) {
      this.addAssigned(after)
      if (this.isOurs(before)) this.queue.delete(before)
    } else if (this.isOurs(before)) this.updateWaiting(before, after)
  }

  deleted(pod: o.Pod): void {
    if (isAssigned(pod)) {
      this.cache.removePod(pod.metadata.uid)
      this.queue.move(ASSIGNED_POD_DELETE, pod, undefined)
    } else if (this.isOurs(pod)) this.deleteWaiting(pod)
  }

  private addAssigned(pod: o.Pod): void {
    this.cache.addPod(pod)
    this.queue.move(ASSIGNED_POD_ADD, undefined, pod)
  }

  private updateWaiting(before: o.Pod, after: o.Pod): void {
    if (before.metadata.resourceVersion === after.metadata.resourceVersion) return
    if (this.cache.isAssumed(after.metadata.uid)) {
      if (after.metadata.deletionTimestamp && !before.metadata.deletionTimestamp) this.forgetAssumed(after)
      return
    }
    this.queue.update(before, after)
    const promised = before.status?.nominatedNodeName
    if (promised && promised !== after.status?.nominatedNodeName) this.promiseFreed(before)
  }

  private deleteWaiting(pod: o.Pod): void {
    this.queue.delete(pod)
    if (this.cache.isAssumed(pod.metadata.uid)) this.forgetAssumed(pod)
    else if (pod.status?.nominatedNodeName) this.promiseFreed(pod)
  }

  private forgetAssumed({ metadata: { uid } }: o.Pod): void {
    const assumed = this.cache.pod(uid)
    this.cache.forget(uid)
    this.queue.move(ASSIGNED_POD_DELETE, assumed, undefined)
  }

  /** The place promised to a pod may do for those that are not above it. */
  private promiseFreed(pod: o.Pod): void {
    const priority = pod.spec.priority ?? 0
    this.queue.move(ASSIGNED_POD_DELETE, pod, undefined, (other) => (other.spec.priority ?? 0) <= priority)
  }
}
