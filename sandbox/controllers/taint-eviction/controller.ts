import { equal } from '../../journal/merge-patch.ts'
import { ApiError } from '../../kube/errors.ts'
import { keyOf, Node, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { toleratesTaint } from '../../scheduler/framework/plugins/taints.ts'
import { patchPodStatus } from '../../scheduler/pod-status.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from '../controller.ts'
import { podsByNode } from '../node-lifecycle/pods-not-ready.ts'
import { Evictions } from './evictions.ts'

const TRIES = 5
const NODE = 'node/'
const POD = 'pod/'

/**
 * Deletes pods that do not tolerate a NoExecute taint of their node, or no longer. One instance a running control plane.
 * Follows pkg/controller/tainteviction/taint_eviction.go; events come from `kube-controller-manager`.
 */
export function taintEvictionController(): ControllerSpec {
  /** The NoExecute taints of each node that has any. */
  const tainted = new Map<string, readonly o.Taint[]>()
  let evictions: Evictions
  const plan = (context: ControllerContext, pod: o.Pod, taints: readonly o.Taint[]) =>
    planFor(context, evictions, pod, taints)
  return controller({
    name: 'taint-eviction-controller',
    workers: 8,
    watches: [
      (context) => {
        const { world } = context
        evictions = new Evictions(world.clock, (key) =>
          world.spawn(`taint-eviction-controller/${key}`, evict(context, evictions, key)),
        )
      },
      watching(Node, ({ queue }) => ({
        added: (node) => {
          if (evicting(node).length > 0) queue.add(NODE + keyOf(node))
        },
        updated: (before, node) => {
          if (before.spec.taints !== node.spec.taints && !equal(evicting(before), evicting(node)))
            queue.add(NODE + keyOf(node))
        },
        deleted: (node) => queue.add(NODE + keyOf(node)),
      })),
      watching(Pod, (context) => ({
        added: (pod) => {
          if (tainted.has(pod.spec.nodeName ?? '')) context.queue.add(POD + keyOf(pod))
        },
        updated: (before, pod) => {
          const { nodeName = '', tolerations } = pod.spec
          const same = before.spec.nodeName === nodeName && equal(before.spec.tolerations, tolerations)
          if (!same && tainted.has(nodeName)) context.queue.add(POD + keyOf(pod))
        },
        deleted: (pod) => cancel(context, evictions, pod),
      })),
    ],
    *reconcile(key, context) {
      const { kube } = context
      if (key.startsWith(POD)) {
        const pod = kube.get(Pod, key.slice(POD.length))
        const taints = tainted.get(pod?.spec.nodeName ?? '')
        if (pod && taints) plan(context, pod, taints)
        return
      }
      const name = key.slice(NODE.length)
      const node = kube.get(Node, name)
      const taints = node ? evicting(node) : []
      if (taints.length > 0) tainted.set(name, taints)
      else tainted.delete(name)
      if (!node) return
      for (const pod of kube.indexed(podsByNode, name)) {
        if (taints.length > 0) plan(context, pod, taints)
        else cancel(context, evictions, pod)
      }
    },
  })
}

const NONE: readonly o.Taint[] = []

function evicting(node: o.Node): readonly o.Taint[] {
  const { taints } = node.spec
  return taints ? taints.filter((t) => t.effect === 'NoExecute') : NONE
}

/** Follows processPodOnNode. */
function planFor(context: ControllerContext, evictions: Evictions, pod: o.Pod, taints: readonly o.Taint[]): void {
  const { now } = context
  const key = keyOf(pod)
  const used = matching(taints, pod.spec.tolerations ?? [])
  if (!used) {
    cancel(context, evictions, pod)
    evictions.add(key, now, now)
    return
  }
  const tolerated = shortest(used)
  if (tolerated === undefined) {
    cancel(context, evictions, pod)
    return
  }
  let startAt = now
  const before = evictions.createdAt(key)
  if (before !== undefined) {
    startAt = before
    if (startAt < now) return
    cancel(context, evictions, pod)
  }
  evictions.add(key, startAt, now + tolerated)
}

/** For each taint the first toleration that covers it; undefined when one is not covered. Follows GetMatchingTolerations. */
export function matching(taints: readonly o.Taint[], tolerations: readonly o.Toleration[]): o.Toleration[] | undefined {
  const used: o.Toleration[] = []
  for (const taint of taints) {
    const found = tolerations.find((toleration) => toleratesTaint(toleration, taint))
    if (!found) return undefined
    used.push(found)
  }
  return used
}

/** The shortest toleration time; undefined when all are for ever. Follows getMinTolerationTime. */
export function shortest(used: readonly o.Toleration[]): Us | undefined {
  if (used.length === 0) return 0
  let least: number | undefined
  for (const { tolerationSeconds } of used) {
    if (tolerationSeconds === undefined || tolerationSeconds === null) continue
    if (tolerationSeconds <= 0) return 0
    least = Math.min(least ?? tolerationSeconds, tolerationSeconds)
  }
  return least === undefined ? undefined : seconds(least)
}

function cancel({ kube }: ControllerContext, evictions: Evictions, pod: o.Pod): void {
  if (!evictions.cancel(keyOf(pod))) return
  kube.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${keyOf(pod)}`)
}

function* evict({ kube, world }: ControllerContext, evictions: Evictions, key: string): Task {
  const cached = kube.get(Pod, key)
  if (cached) kube.event(cached, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
  const condition = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  }
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      const pod = yield* kube.read(Pod, key)
      yield* patchPodStatus(kube, pod, { condition }, () => world.clock.now)
      yield* kube.delete(Pod, key)
      break
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      yield* sleep(ms(10))
    }
  }
  evictions.done(key)
}
