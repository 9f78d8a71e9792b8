import type { NodeInfo } from './node-info.ts'
import type { KindVerdicts } from './node-local.ts'
import type { Plugin, Snapshot } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import { type Status, unresolvable } from './status.ts'

/** The pods that are promised a node. */
export interface Nominations {
  on(nodeName: string): readonly PodInfo[]
}

/** What the filters know about a pod in one cycle. */
export interface FilterState {
  /** The plugins that have something to say, each with its state. */
  readonly active: readonly ActiveFilter[]
  /** What is known of nodes already of the first `known.count` of them; undefined: nothing. */
  readonly known?: { readonly verdicts: KindVerdicts; readonly count: number } | undefined
}

interface ActiveFilter {
  readonly plugin: Plugin
  readonly state: unknown
}

export interface PreFilterOutcome {
  readonly filters: FilterState
  readonly status: Status | undefined
  /** Undefined: any node. */
  readonly nodeNames: ReadonlySet<string> | undefined
  /** Plugins that named nodes. */
  readonly naming: readonly string[]
}

/** Asks every plugin about the pod itself. Follows pkg/scheduler/framework/runtime/framework.go RunPreFilterPlugins. */
export function preFilter(
  plugins: readonly Plugin[],
  pod: PodInfo,
  snapshot: Snapshot,
  verdicts?: KindVerdicts | undefined,
): PreFilterOutcome {
  const active: ActiveFilter[] = []
  const naming: string[] = []
  const known = verdicts && { verdicts, count: 0 }
  const filters = { active, known }
  let nodeNames: ReadonlySet<string> | undefined
  for (const plugin of plugins) {
    const found = plugin.preFilter?.(pod, snapshot)
    if (found?.skip) continue
    if (found?.status) return { filters, status: found.status, nodeNames: undefined, naming: [] }
    if (plugin.filter) active.push({ plugin, state: found?.state })
    if (known && plugin.filter && known.verdicts.filters.has(plugin)) known.count++
    if (!found?.nodeNames) continue
    naming.push(plugin.name)
    const { nodeNames: named } = found
    const both: ReadonlySet<string> = nodeNames ? new Set([...nodeNames].filter((name) => named.has(name))) : named
    nodeNames = both
    if (both.size === 0) {
      const status = unresolvable('', `node(s) didn't satisfy plugin ${naming.join(' ')}`)
      return { filters, status, nodeNames, naming }
    }
  }
  return { filters, status: undefined, nodeNames, naming }
}

/** The first rejection of the node; undefined when it fits. */
export function runFilters({ active, known }: FilterState, pod: PodInfo, node: NodeInfo): Status | undefined {
  if (!known || node.slot < 0) return firstRejection(active, 0, active.length, pod, node)
  const { verdicts, count } = known
  if (!verdicts.knows(node)) verdicts.note(node, firstRejection(active, 0, count, pod, node))
  return verdicts.statusOf(node) ?? firstRejection(active, count, active.length, pod, node)
}

function firstRejection(
  active: readonly ActiveFilter[],
  from: number,
  to: number,
  pod: PodInfo,
  node: NodeInfo,
): Status | undefined {
  for (let i = from; i < to; i++) {
    const { plugin, state } = active[i]!
    const status = plugin.filter!(state, pod, node)
    if (status) return status
  }
  return undefined
}

/**
 * Runs the filters as if the pods promised this node, of the same or a higher priority, were there; and again without them.
 * Follows pkg/scheduler/framework/runtime/framework.go RunFilterPluginsWithNominatedPods.
 */
export function filterWithNominated(
  filters: FilterState,
  pod: PodInfo,
  node: NodeInfo,
  nominations: Nominations,
): Status | undefined {
  const nominated = nominations.on(node.name)
  if (nominated.length === 0) return runFilters(filters, pod, node)
  const promised = nominated.filter((p) => p.priority >= pod.priority && p.uid !== pod.uid)
  if (promised.length > 0) {
    const copy = node.clone()
    const states = cloneFilters(filters)
    for (const other of promised) addPodTo(states, pod, other, copy)
    const status = runFilters(states, pod, copy)
    if (status) return status
  }
  return runFilters(filters, pod, node)
}

export function cloneFilters({ active }: FilterState): FilterState {
  return {
    active: active.map(({ plugin, state }) => ({
      plugin,
      state: plugin.cloneState ? plugin.cloneState(state) : state,
    })),
  }
}

export function addPodTo(filters: FilterState, pod: PodInfo, added: PodInfo, node: NodeInfo): void {
  node.addPod(added)
  for (const { plugin, state } of filters.active) plugin.podChanged?.(state, pod, added, node, 1)
}

export function removePodFrom(filters: FilterState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void {
  node.removePod(removed.uid)
  for (const { plugin, state } of filters.active) plugin.podChanged?.(state, pod, removed, node, -1)
}

export interface ScoreOptions {
  /** Gets each plugin's weighted scores. */
  readonly explain?: (plugin: string, weighted: Float64Array) => void
  /** What is known of nodes already. */
  readonly verdicts?: KindVerdicts | undefined
}

/** Room for scores that is used again in every cycle. */
const rooms = [new Float64Array(0), new Float64Array(0)]

function scratch(which: 0 | 1, length: number): Float64Array {
  if (rooms[which]!.length < length) rooms[which] = new Float64Array(2 * length)
  return rooms[which]!.subarray(0, length)
}

/** The weighted sums of all scores, one a node: good until the next call. Follows RunScorePlugins. */
export function scoreNodes(
  plugins: readonly Plugin[],
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  snapshot: Snapshot,
  { explain, verdicts }: ScoreOptions = {},
): Float64Array {
  const totals = scratch(0, nodes.length).fill(0)
  const scores = scratch(1, nodes.length)
  for (const plugin of plugins) {
    if (!plugin.score) continue
    const state = plugin.preScore?.(pod, nodes, snapshot)
    if (plugin.preScore && state === undefined) continue
    if (verdicts && plugin.nodeLocal) verdicts.score(plugin, state, pod, nodes, scores)
    else if (plugin.scoreAll) plugin.scoreAll(state, pod, nodes, scores)
    else for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, pod, nodes[i]!)
    plugin.normalize?.(scores, nodes, state)
    const weight = plugin.weight ?? 1
    for (let i = 0; i < nodes.length; i++) totals[i] = totals[i]! + scores[i]! * weight
    explain?.(
      plugin.name,
      scores.map((score) => score * weight),
    )
  }
  return totals
}
