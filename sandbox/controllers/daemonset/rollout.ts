import type * as o from '../../kube/objects.ts'
import { isAvailable } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import { syncNodes } from './nodes.ts'
import { boundsOf, isUpdated, type Pass } from './pass.ts'
import { judgeNode } from './placement.ts'

// follows pkg/controller/daemon/update.go

/**
 * Replaces old pods: those that are not available at once, the others within maxUnavailable; or, where the set may surge, beside
 * new ones. Nodes are gone through in the order of the pods' making, where upstream's order is that of a Go map.
 */
export function* rollOut(pass: Pass): Task {
  const { surge, unavailable, desired } = boundsOf(pass)
  if (surge === 0) yield* replace(pass, unavailable)
  else yield* surgeOver(pass, surge, desired)
}

interface Place {
  readonly nodeName: string
  /** Undefined: more pods than there should be. */
  readonly pods: { readonly young: o.Pod | undefined; readonly old: o.Pod | undefined } | undefined
}

/** Every node that has or should have a pod, with its old and its new one. Follows findUpdatedPodsOnNode. */
function places(pass: Pass): Place[] {
  const names = new Set(pass.byNode.keys())
  for (const node of pass.nodes) if (judgeNode(pass.set, node).shouldRun) names.add(node.metadata.name)
  return [...names].map((nodeName) => {
    const alive = (pass.byNode.get(nodeName) ?? []).filter(({ metadata }) => !metadata.deletionTimestamp)
    const young = alive.filter((pod) => isUpdated(pass, pod))
    const old = alive.filter((pod) => !isUpdated(pass, pod))
    return { nodeName, pods: young.length > 1 || old.length > 1 ? undefined : { young: young[0], old: old[0] } }
  })
}

const isUp = ({ set, now }: Pass, pod: o.Pod): boolean => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)

function* replace(pass: Pass, maxUnavailable: number): Task {
  const doomed: o.Pod[] = []
  const candidates: o.Pod[] = []
  let down = 0
  for (const { pods } of places(pass)) {
    if (!pods || Boolean(pods.young) === Boolean(pods.old)) down++
    else if (pods.young) down += isUp(pass, pods.young) ? 0 : 1
    else if (!isUp(pass, pods.old!)) {
      doomed.push(pods.old!)
      down++
    } else if (down < maxUnavailable) candidates.push(pods.old!)
  }
  yield* syncNodes(pass, [...doomed, ...candidates.slice(0, Math.max(0, maxUnavailable - down))], [])
}

function* surgeOver(pass: Pass, maxSurge: number, desired: number): Task {
  const nodes = new Map(pass.nodes.map((node) => [node.metadata.name, node]))
  const doomed: o.Pod[] = []
  const unwanted: o.Pod[] = []
  const allowed: string[] = []
  const candidates: string[] = []
  let surging = 0
  let available = 0
  for (const { nodeName, pods } of places(pass)) {
    if (!pods) {
      surging++
      continue
    }
    const { young, old } = pods
    const first = old ?? young
    if (first && isUp(pass, first)) available++
    if (!old) continue
    if (young) {
      if (isUp(pass, young)) doomed.push(old)
      else surging++
      continue
    }
    const node = nodes.get(nodeName)
    const shouldRun = node !== undefined && judgeNode(pass.set, node).shouldRun
    if (!isUp(pass, old)) {
      if (shouldRun) allowed.push(nodeName)
      else doomed.push(old)
    } else if (!shouldRun) unwanted.push(old)
    else if (surging < maxSurge) candidates.push(nodeName)
  }
  const spare = unwanted.slice(0, Math.max(0, available - desired))
  yield* syncNodes(pass, [...doomed, ...spare], [...allowed, ...candidates.slice(0, Math.max(0, maxSurge - surging))])
}
