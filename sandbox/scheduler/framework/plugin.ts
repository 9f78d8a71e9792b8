import type { Pod, Service } from '../../kube/objects.ts'
import type { Selector } from '../../kube/selectors.ts'
import type { EventHint } from './events.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { NamespaceLabels } from './pod-terms.ts'
import type { Status } from './status.ts'

/** The cluster in one scheduling cycle. */
export interface Snapshot {
  /** In the order in which nodes are tried. */
  readonly nodes: readonly NodeInfo[]
  readonly nodesWithAffinity: Iterable<NodeInfo>
  readonly nodesWithRequiredAntiAffinity: Iterable<NodeInfo>
}

/** What plugins look up outside of pods and nodes. */
export interface Listers {
  services(namespace: string): readonly Service[]
  /** The selector of the ReplicaSet, StatefulSet or ReplicationController that controls the pod, when it is known. */
  controllerSelector(pod: Pod): Selector | undefined
  readonly namespaceLabels: NamespaceLabels
}

/** What looking at a pod before its nodes gave. */
export interface PreFiltered<F> {
  /** The filter has nothing to say about this pod. */
  skip?: boolean
  /** The pod fits no node. */
  status?: Status
  /** It fits at most these nodes. */
  nodeNames?: ReadonlySet<string>
  state?: F
}

/**
 * One rule of where pods may and should run. Filters reject nodes; scores from 0 to 100 (after `normalize`) rank them.
 * Follows k8s.io/kube-scheduler/framework/interface.go.
 */
export interface Plugin<F = unknown, S = unknown> {
  readonly name: string
  /** Of the score among the others. */
  readonly weight?: number
  /** Filter and score depend on the pod's spec and the node alone, so that what was found stands until the node changes. */
  readonly nodeLocal?: boolean
  preFilter?(pod: PodInfo, snapshot: Snapshot): PreFiltered<F>
  filter?(state: F, pod: PodInfo, node: NodeInfo): Status | undefined
  cloneState?(state: F): F
  /** Tells the state that `changed` would come to the node (`sign` 1) or leave it (-1). */
  podChanged?(state: F, pod: PodInfo, changed: PodInfo, node: NodeInfo, sign: 1 | -1): void
  /** Undefined: the score has nothing to say about this pod. */
  preScore?(pod: PodInfo, feasible: readonly NodeInfo[], snapshot: Snapshot): S | undefined
  score?(state: S, pod: PodInfo, node: NodeInfo): number
  /** Fills `scores`, one a node, with what `score` would give for each; where all together cost less. */
  scoreAll?(state: S, pod: PodInfo, nodes: readonly NodeInfo[], scores: Float64Array): void
  /** Brings raw scores, one a node, to 0–100 in place. */
  normalize?(scores: Float64Array, nodes: readonly NodeInfo[], state: S): void
  /** Changes after which a pod this plugin rejected may fit. */
  readonly events?: readonly EventHint[]
}

/** A plugin fails: the cycle ends with this message, whatever the others say. */
export class PluginError extends Error {}

/** A plugin with states of its own types, among others. */
export const plugin = <F, S>(made: Plugin<F, S>): Plugin => made as unknown as Plugin

/** The greatest score becomes 100 (0 when `reverse`). Follows plugins/helper/normalize_score.go. */
export function defaultNormalize(scores: Float64Array, reverse: boolean): void {
  let greatest = 0
  for (const score of scores) if (score > greatest) greatest = score
  if (greatest === 0) {
    if (reverse) scores.fill(100)
    return
  }
  for (let i = 0; i < scores.length; i++) {
    const score = Math.trunc((100 * scores[i]!) / greatest)
    scores[i] = reverse ? 100 - score : score
  }
}
