import type * as o from '../../kube/objects.ts'
import { isFinished } from '../../kube/pods.ts'
import { fromRfc3339, type Us } from '../../world/time.ts'
import type { ControllerContext } from '../controller.ts'
import { resolveFenceposts } from '../deployment/fenceposts.ts'
import { judgeNode, targetNode } from './placement.ts'

/** One pass over a DaemonSet. */
export interface Pass {
  readonly key: string
  readonly set: o.DaemonSet
  readonly context: ControllerContext
  readonly nodes: readonly o.Node[]
  /** The pods for each node that has some. */
  readonly byNode: ReadonlyMap<string, readonly o.Pod[]>
  /** The template's hash, which its pods carry. */
  readonly hash: string
  readonly now: Us
}

export const HASH = 'controller-revision-hash'
export const GENERATION = 'deprecated.daemonset.template.generation'
export const POD_GENERATION = 'pod-template-generation'

/** Follows IsPodUpdated. */
export function isUpdated({ set, hash }: Pick<Pass, 'set' | 'hash'>, { metadata: { labels = {} } }: o.Pod): boolean {
  const generation = set.metadata.annotations?.[GENERATION]
  return (generation !== undefined && labels[POD_GENERATION] === generation) || labels[HASH] === hash
}

/** The pods by the nodes they are for, oldest first; finished ones on their way out do not count. */
export function podsByNode(pods: readonly o.Pod[]): Map<string, o.Pod[]> {
  const byNode = new Map<string, o.Pod[]>()
  for (const pod of pods) {
    if (isFinished(pod) && pod.metadata.deletionTimestamp) continue
    const node = targetNode(pod)
    if (node === undefined) continue
    const there = byNode.get(node)
    if (there) there.push(pod)
    else byNode.set(node, [pod])
  }
  for (const there of byNode.values()) there.sort(byAge)
  return byNode
}

/** Bound ones first, then the older, then by name. Follows podByCreationTimestampAndPhase. */
function byAge(a: o.Pod, b: o.Pod): number {
  if (Boolean(a.spec.nodeName) !== Boolean(b.spec.nodeName)) return a.spec.nodeName ? -1 : 1
  const age = fromRfc3339(a.metadata.creationTimestamp) - fromRfc3339(b.metadata.creationTimestamp)
  return age || (a.metadata.name < b.metadata.name ? -1 : 1)
}

export interface Bounds {
  readonly surge: number
  readonly unavailable: number
  readonly desired: number
}

/** How far an update may go, with at least one pod at a time; both percentages are rounded up. Follows updatedDesiredNodeCounts. */
export function boundsOf({ set, nodes }: Pass): Bounds {
  const desired = nodes.filter((node) => judgeNode(set, node).shouldRun).length
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec.updateStrategy.rollingUpdate ?? {}
  const { surge } = resolveFenceposts(maxSurge, 0, desired)
  const { surge: unavailable } = resolveFenceposts(maxUnavailable, 0, desired)
  return { surge, unavailable: desired > 0 && surge + unavailable === 0 ? 1 : unavailable, desired }
}

export const allowsSurge = ({ spec }: o.DaemonSet): boolean => {
  const { type, rollingUpdate } = spec.updateStrategy
  return type === 'RollingUpdate' && Number.parseInt(String(rollingUpdate?.maxSurge ?? 0), 10) > 0
}
