import type { RandomStream } from '../world/random.ts'
import type { SchedulerCache } from './cache.ts'
import type { Diagnosis } from './framework/fit-error.ts'
import type { NodeInfo } from './framework/node-info.ts'
import { type KindVerdicts, NodeLocal } from './framework/node-local.ts'
import { type Plugin, PluginError } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import { type FilterState, filterWithNominated, type Nominations, preFilter, scoreNodes } from './framework/runtime.ts'
import { NodeStatuses, unresolvable } from './framework/status.ts'

/** What a scheduling cycle decided. */
export type Decision =
  | { readonly kind: 'node'; readonly node: NodeInfo; readonly feasible: number }
  | { readonly kind: 'unfit'; readonly nodes: number; readonly diagnosis: Diagnosis; readonly filters: FilterState }
  | { readonly kind: 'no-nodes' }
  | { readonly kind: 'error'; readonly message: string }

const MIN_FEASIBLE_NODES = 100
const MIN_FEASIBLE_PERCENT = 5

/** Where the next search begins, so that all nodes get their turn: shared by the profiles of a scheduler. */
export interface SearchCursor {
  next: number
}

/** Chooses nodes for pods. Follows pkg/scheduler/schedule_one.go schedulePod. */
export class Algorithm {
  private readonly plugins: readonly Plugin[]
  private readonly cache: SchedulerCache
  private readonly nominations: Nominations
  private readonly random: RandomStream
  /** Of the nodes that are tried; 0: fewer the more there are. */
  private readonly percentage: number
  private readonly cursor: SearchCursor
  private readonly local: NodeLocal

  constructor(options: {
    plugins: readonly Plugin[]
    cache: SchedulerCache
    nominations: Nominations
    random: RandomStream
    percentageOfNodesToScore?: number | undefined
    cursor?: SearchCursor | undefined
  }) {
    this.plugins = options.plugins
    this.local = new NodeLocal(options.plugins)
    this.cache = options.cache
    this.nominations = options.nominations
    this.random = options.random
    this.percentage = options.percentageOfNodesToScore ?? 0
    this.cursor = options.cursor ?? { next: 0 }
  }

  schedule(pod: PodInfo): Decision {
    const { nodes } = this.cache
    if (nodes.length === 0) return { kind: 'no-nodes' }
    const verdicts = this.local.of(pod)
    try {
      const found = this.feasibleNodes(pod, verdicts)
      if (!Array.isArray(found)) return found
      if (found.length === 1) return { kind: 'node', node: found[0]!, feasible: 1 }
      const totals = scoreNodes(this.plugins, pod, found, this.cache, { verdicts })
      return { kind: 'node', node: found[this.pickTop(totals)]!, feasible: found.length }
    } catch (error) {
      if (error instanceof PluginError) return { kind: 'error', message: error.message }
      throw error
    }
  }

  /** The nodes that pass all filters, or as many of them as are worth scoring; or why there are none. */
  private feasibleNodes(pod: PodInfo, verdicts: KindVerdicts | undefined): NodeInfo[] | Decision {
    const { nodes } = this.cache
    const nominated = pod.pod.status?.nominatedNodeName
    const promised = nominated ? this.cache.node(nominated) : undefined
    const statuses = new NodeStatuses({ once: !promised })
    const { filters, status, nodeNames, naming } = preFilter(this.plugins, pod, this.cache, verdicts)
    const plugins = new Set<string>(naming)
    if (status) {
      statuses.absent = status
      if (status.plugin) plugins.add(status.plugin)
      const preFilterMessage = status.reasons.join(', ')
      return { kind: 'unfit', nodes: nodes.length, filters, diagnosis: { statuses, plugins, preFilterMessage } }
    }
    if (promised) {
      const feasible = this.passing([promised], pod, filters, statuses, plugins)
      if (feasible.length > 0) return feasible
    }
    let tried = nodes
    if (nodeNames) {
      tried = [...nodeNames].flatMap((name) => this.cache.node(name) ?? [])
      // in upstream the plugins that kept the pod from its promised node are among them
      statuses.absent = unresolvable('', `node(s) didn't satisfy plugin(s) [${[...plugins].sort().join(' ')}]`)
    }
    const feasible = this.passing(tried, pod, filters, statuses, plugins)
    this.cursor.next = (this.cursor.next + feasible.length + statuses.size) % nodes.length
    if (feasible.length > 0) return feasible
    return { kind: 'unfit', nodes: nodes.length, filters, diagnosis: { statuses, plugins } }
  }

  private passing(
    nodes: readonly NodeInfo[],
    pod: PodInfo,
    filters: FilterState,
    statuses: NodeStatuses,
    plugins: Set<string>,
  ): NodeInfo[] {
    const wanted = feasibleNodesToFind(nodes.length, this.percentage)
    const feasible = new Array<NodeInfo>(Math.min(wanted, nodes.length))
    let found = 0
    let last: string | undefined
    for (let i = 0; i < nodes.length && found < wanted; i++) {
      const node = nodes[(this.cursor.next + i) % nodes.length]!
      const status = filterWithNominated(filters, pod, node, this.nominations)
      if (!status) {
        feasible[found++] = node
        continue
      }
      statuses.set(node.name, status)
      if (status.plugin !== last) plugins.add(status.plugin)
      last = status.plugin
    }
    feasible.length = found
    return feasible
  }

  /**
   * One of the nodes with the greatest score, each as likely. In upstream the first in the order in which its parallel
   * filters happen to finish wins.
   */
  private pickTop(totals: Float64Array): number {
    let top = 0
    let equals = 1
    for (let i = 1; i < totals.length; i++) {
      if (totals[i]! > totals[top]!) {
        top = i
        equals = 1
      } else if (totals[i] === totals[top] && this.random.int(++equals) === 0) top = i
    }
    return top
  }
}

/** How many feasible nodes a cycle looks for: all below 100, a falling share of more. Follows numFeasibleNodesToFind. */
export function feasibleNodesToFind(nodes: number, percentage = 0): number {
  if (nodes < MIN_FEASIBLE_NODES) return nodes
  const percent = percentage || Math.max(50 - Math.trunc(nodes / 125), MIN_FEASIBLE_PERCENT)
  return Math.max(Math.trunc((nodes * percent) / 100), MIN_FEASIBLE_NODES)
}
