import type { NodeColumn } from '../node-column.ts'
import type { NodeInfo } from '../node-info.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import type { PodCounter, PodCounts } from './pod-counts.ts'
import {
  type Constraint,
  constraintsOf,
  HOSTNAME,
  hasAllKeys,
  includes,
  type SpreadListers,
} from './spread-constraints.ts'

interface Term {
  readonly constraint: Constraint
  readonly counter: PodCounter
  /** The nodes' values of the topology key. */
  readonly label: NodeColumn<string | undefined>
  /** Matching pods by value of the topology key, over all nodes; unused for hosts, where the node's own pods count. */
  readonly counts: Map<string, number>
  weight: number
  /** Whether any node has the key: those without score nothing. */
  readonly used: boolean
}

interface State {
  readonly terms: readonly Term[]
  /** Nodes that lack a key the pod itself asked for. */
  readonly ignored: ReadonlySet<string>
}

/** The score part of topology spread. Follows pkg/scheduler/framework/plugins/podtopologyspread/scoring.go. */
export function spreadScore(
  listers: SpreadListers,
  podCounts: PodCounts,
): Pick<Plugin, 'preScore' | 'score' | 'scoreAll' | 'normalize'> {
  const part: Pick<Plugin<unknown, State>, 'preScore' | 'score' | 'scoreAll' | 'normalize'> = {
    preScore(pod, feasible, { nodes }) {
      const constraints = constraintsOf(pod.pod, 'ScheduleAnyway', listers)
      if (constraints.length === 0 || nodes.length === 0) return undefined
      // only the system's defaults put up with nodes that lack a key
      const asked = listers.spreadDefaults !== undefined || (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0
      const ignored = new Set<string>()
      if (asked) for (const { node, name } of feasible) if (!hasAllKeys(node!, constraints)) ignored.add(name)
      const namespace = pod.pod.metadata.namespace ?? ''
      const terms = constraints.map((constraint) => {
        const counts = new Map<string, number>()
        const counter = podCounts.of(constraint.selector, namespace)
        const label = podCounts.labelOf(constraint.topologyKey)
        if (constraint.topologyKey === HOSTNAME)
          return {
            constraint,
            counter,
            label,
            counts,
            weight: Math.log(feasible.length - ignored.size + 2),
            used: true,
          }
        let used = false
        let last: string | undefined
        for (const info of feasible) {
          if (ignored.size > 0 && ignored.has(info.name)) continue
          const has = label.at(info)
          if (has !== undefined) used = true
          const value = has ?? ''
          if (value !== last) counts.set(value, 0)
          last = value
        }
        return { constraint, counter, label, counts, weight: Math.log(counts.size + 2), used }
      })
      for (const term of terms) {
        if (term.counts.size > 0 && term.used) countPods(term, pod, nodes, asked ? constraints : undefined)
      }
      return { terms, ignored }
    },
    score({ terms, ignored }, _, info) {
      if (ignored.size > 0 && ignored.has(info.name)) return 0
      let score = 0
      for (const { constraint, counts, counter, label, weight } of terms) {
        const value = label.at(info)
        if (value === undefined) continue
        const count = constraint.topologyKey === HOSTNAME ? counter.on(info) : counts.get(value)!
        score += count * weight + (constraint.maxSkew - 1)
      }
      return Math.round(score)
    },
    scoreAll({ terms, ignored }, _, nodes, scores) {
      scores.fill(0)
      for (const term of terms) addScores(term, nodes, scores)
      for (let i = 0; i < nodes.length; i++)
        scores[i] = ignored.size > 0 && ignored.has(nodes[i]!.name) ? 0 : Math.round(scores[i]!)
    },
    normalize(scores, nodes, { ignored }) {
      let least = Number.MAX_SAFE_INTEGER
      let greatest = 0
      for (let i = 0; i < scores.length; i++) {
        if (ignored.size > 0 && ignored.has(nodes[i]!.name)) continue
        if (scores[i]! < least) least = scores[i]!
        if (scores[i]! > greatest) greatest = scores[i]!
      }
      for (let i = 0; i < scores.length; i++) {
        if (ignored.size > 0 && ignored.has(nodes[i]!.name)) scores[i] = 0
        else scores[i] = greatest === 0 ? 100 : Math.trunc((100 * (greatest + least - scores[i]!)) / greatest)
      }
    },
  }
  return part as Pick<Plugin, 'preScore' | 'score' | 'scoreAll' | 'normalize'>
}

/** Adds what one term gives each node. */
function addScores(
  { constraint, counts, counter, label, weight, used }: Term,
  nodes: readonly NodeInfo[],
  scores: Float64Array,
) {
  const { maxSkew, topologyKey } = constraint
  if (!used) return
  const ofHost = topologyKey === HOSTNAME
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    const value = label.at(node)
    if (value === undefined) continue
    const count = ofHost ? counter.on(node) : (counts.get(value) ?? 0)
    scores[i] = scores[i]! + count * weight + (maxSkew - 1)
  }
}

/** Counts pods in the topologies of `term.counts`. `required`: constraints whose keys a node must have all. */
function countPods(
  { constraint, counts, counter, label }: Term,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  required: readonly Constraint[] | undefined,
): void {
  const everyNode = !required && !constraint.honorsTaints && !(constraint.honorsAffinity && pod.facts.requiredNode)
  if (everyNode) {
    const sums = counter.byValue(label, nodes)
    for (const value of counts.keys()) counts.set(value, sums.get(value)!)
    return
  }
  for (const info of nodes) {
    if (required && !hasAllKeys(info.node!, required)) continue
    const value = label.at(info) ?? ''
    const count = counts.get(value)
    if (count === undefined || !includes(constraint, pod, info.node!)) continue
    counts.set(value, count + counter.on(info))
  }
}
