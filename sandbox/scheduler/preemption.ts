import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { SchedulerCache } from './cache.ts'
import { type DisruptionBudget, splitByBudgets } from './disruption-budgets.ts'
import { type Diagnosis, fitMessage } from './framework/fit-error.ts'
import type { NodeInfo } from './framework/node-info.ts'
import { PluginError } from './framework/plugin.ts'
import type { PodInfo } from './framework/pod-info.ts'
import {
  addPodTo,
  cloneFilters,
  type FilterState,
  filterWithNominated,
  type Nominations,
  removePodFrom,
} from './framework/runtime.ts'
import { NodeStatuses, rejected, type Status, unresolvable } from './framework/status.ts'
import { byImportance, isTerminatingByPreemption } from './importance.ts'
import { type Candidate, pickCandidate } from './pick-candidate.ts'

/** What preemption found. `nominate`: the node to promise the pod, '' to take a promise back, undefined to leave it. */
export interface PreemptionOutcome {
  readonly nominate: string | undefined
  readonly message: string
  readonly candidate?: Candidate
  /** Something that should not be went wrong. */
  readonly isError?: boolean
}

const PLUGIN = 'DefaultPreemption'

/** How many candidate nodes are looked for. Defaults follow pkg/scheduler/apis/config/v1/defaults.go. */
export interface PreemptionArgs {
  readonly minCandidateNodesPercentage: number
  readonly minCandidateNodesAbsolute: number
}

export const PREEMPTION_DEFAULTS: PreemptionArgs = { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 }
const NOT_HELPFUL = unresolvable(PLUGIN, 'Preemption is not helpful for scheduling')
const NO_VICTIMS = unresolvable(PLUGIN, 'No preemption victims found for incoming pod')

/**
 * Looks for a node where a pod would fit if pods of lower priority went.
 * Follows pkg/scheduler/framework/preemption/preemption.go and plugins/defaultpreemption/default_preemption.go.
 */
export class Preemption {
  private readonly cache: SchedulerCache
  private readonly nominations: Nominations
  private readonly random: RandomStream
  private readonly args: PreemptionArgs

  constructor(options: {
    cache: SchedulerCache
    nominations: Nominations
    random: RandomStream
    args?: PreemptionArgs | undefined
  }) {
    this.cache = options.cache
    this.nominations = options.nominations
    this.random = options.random
    this.args = options.args ?? PREEMPTION_DEFAULTS
  }

  evaluate(
    pod: PodInfo,
    filters: FilterState,
    { statuses }: Diagnosis,
    options: { now: Us; budgets: readonly DisruptionBudget[] },
  ): PreemptionOutcome {
    const reason = this.ineligible(pod, statuses)
    if (reason) return { nominate: undefined, message: `preemption: ${reason}` }
    const { candidates, found, errors } = this.candidates(pod, filters, statuses, options)
    if (candidates.length > 0) {
      const candidate = pickCandidate(candidates, this.random, options.now)
      return { nominate: candidate.node, message: '', candidate }
    }
    if (errors.length > 0) {
      // an aggregate says the same thing once
      const said = [...new Set(errors)]
      const message = `preemption: ${said.length === 1 ? said[0] : `[${said.join(', ')}]`}`
      return { nominate: undefined, message, isError: true }
    }
    found.absent = NOT_HELPFUL
    const message = fitMessage(this.cache.nodes.length, { statuses: found, plugins: new Set() })
    return { nominate: '', message: `preemption: ${message}` }
  }

  /** Why the pod may send nobody away; undefined when it may. Follows PodEligibleToPreemptOthers. */
  ineligible({ pod, priority }: PodInfo, statuses: NodeStatuses): string | undefined {
    if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
    const nominated = pod.status?.nominatedNodeName
    if (!nominated || statuses.get(nominated).unresolvable) return undefined
    const waits = this.cache
      .node(nominated)
      ?.pods.some((other) => other.priority < priority && isTerminatingByPreemption(other.pod))
    return waits ? 'not eligible due to a terminating pod on the nominated node.' : undefined
  }

  /** Tries nodes from a random one on, until enough are found; says why the others are none. Follows DryRunPreemption. */
  candidates(
    pod: PodInfo,
    filters: FilterState,
    statuses: NodeStatuses,
    options: { now: Us; budgets: readonly DisruptionBudget[] },
  ): { candidates: Candidate[]; found: NodeStatuses; errors: string[] } {
    const nodes = this.cache.nodes.filter((node) => !statuses.get(node.name).unresolvable)
    const found = new NodeStatuses()
    const kept: Candidate[] = []
    const violating: Candidate[] = []
    const errors: string[] = []
    if (nodes.length === 0) return { candidates: [], found, errors }
    const offset = this.random.int(nodes.length)
    const wanted = candidatesToFind(nodes.length, this.args)
    for (let i = 0; i < nodes.length; i++) {
      if (kept.length > 0 && kept.length + violating.length >= wanted) break
      const node = nodes[(offset + i) % nodes.length]!
      const result = this.victimsOn(node, pod, filters, options)
      if ('candidate' in result) (result.candidate.violations === 0 ? kept : violating).push(result.candidate)
      else if ('status' in result) found.set(node.name, result.status)
      else {
        errors.push(result.error)
        found.set(node.name, rejected(PLUGIN, result.error))
      }
    }
    return { candidates: [...kept, ...violating.slice(0, wanted)], found, errors }
  }

  /** The fewest, least important pods whose going makes room. Follows SelectVictimsOnNode. */
  private victimsOn(
    node: NodeInfo,
    pod: PodInfo,
    filters: FilterState,
    { now, budgets }: { now: Us; budgets: readonly DisruptionBudget[] },
  ): { candidate: Candidate } | { status: Status } | { error: string } {
    const lower = node.pods.filter((other) => other.priority < pod.priority)
    if (lower.length === 0) return { status: NO_VICTIMS }
    const copy = node.clone()
    const states = cloneFilters(filters)
    for (const other of lower) removePodFrom(states, pod, other, copy)
    const found = this.look(states, pod, copy)
    if (typeof found === 'string') return { error: found }
    if (found) return { status: found }
    const { violating, others } = splitByBudgets([...lower].sort(byImportance(now)), budgets)
    const victims: PodInfo[] = []
    const spare = (other: PodInfo): boolean => {
      addPodTo(states, pod, other, copy)
      if (this.look(states, pod, copy) === undefined) return true
      removePodFrom(states, pod, other, copy)
      victims.push(other)
      return false
    }
    const violations = violating.filter((other) => !spare(other)).length
    for (const other of others) spare(other)
    if (violating.length > 0 && others.length > 0) victims.sort(byImportance(now))
    if (victims.length === 0) return { error: `expected at least one victim pod on node "${node.name}"` }
    return { candidate: { node: node.name, victims, violations } }
  }

  /** What the filters say of a node; as text, why one of them failed. */
  private look(filters: FilterState, pod: PodInfo, node: NodeInfo): Status | string | undefined {
    try {
      return filterWithNominated(filters, pod, node, this.nominations)
    } catch (error) {
      if (error instanceof PluginError) return error.message
      throw error
    }
  }
}

function candidatesToFind(nodes: number, args: PreemptionArgs): number {
  const share = Math.trunc((nodes * args.minCandidateNodesPercentage) / 100)
  return Math.min(Math.max(share, args.minCandidateNodesAbsolute), nodes)
}
