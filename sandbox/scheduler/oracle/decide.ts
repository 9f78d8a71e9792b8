import { keyOf, Node, PersistentVolume, PodDisruptionBudget } from '../../kube/kinds.ts'
import { type RandomStream, randomStream } from '../../world/random.ts'
import { Algorithm, type Decision } from '../algorithm.ts'
import { fitMessage } from '../framework/fit-error.ts'
import { filterWithNominated, preFilter, scoreNodes } from '../framework/runtime.ts'
import type { Status } from '../framework/status.ts'
import type { Candidate } from '../pick-candidate.ts'
import { postFilter } from '../post-filter.ts'
import { Preemption } from '../preemption.ts'
import { goingFrom, outranked } from '../preemption-executor.ts'
import { claimsOf, mountsClaims, planFor } from '../volumes/pod-volumes.ts'
import type { NodeStatus, PreemptionCandidate, SchedulingAnswer, SchedulingCase } from './case.ts'
import { type Bench, benchOf, NOW } from './cluster.ts'
import { eachCourse } from './each-course.ts'

/** How a cycle that found no node may end. Which it is may be chance. */
export type Ending = Pick<SchedulingAnswer, 'message' | 'nominated' | 'victims' | 'cleared'>

/** What our scheduler decides; where chance has a part, all that it may decide. */
export interface Decided {
  /** What ended the cycle. */
  readonly error?: string
  readonly plugins?: readonly string[]
  readonly statuses: Readonly<Record<string, NodeStatus>>
  readonly scores?: Readonly<Record<string, Record<string, number>>>
  /** The nodes of which one is chosen. */
  readonly choices: readonly string[]
  /** Whether the pod has claims, and it is not chance which volumes it gets. */
  readonly mounts: boolean
  /** What is bound for them on a node that was chosen. */
  boundOn(node: string): string[]
  readonly endings: readonly Ending[]
  readonly candidates: readonly PreemptionCandidate[]
}

export function decide(item: SchedulingCase): Decided {
  const bench = benchOf(item)
  const { plugins, cache, nominations, profile } = bench
  const { percentageOfNodesToScore } = profile
  const random = randomStream(1, 'choice')
  const found = new Algorithm({ plugins, cache, nominations, random, percentageOfNodesToScore }).schedule(bench.pod)
  const boundOn = (node: string) => bound(bench, node)
  const nothing = {
    statuses: {},
    choices: [],
    endings: [],
    candidates: [],
    mounts: choosesVolumes(bench),
    boundOn,
  }
  if (found.kind === 'error') return { ...nothing, error: found.message }
  const seen = look(bench)
  if (found.kind === 'no-nodes') return nothing
  if (found.kind === 'node') return { ...nothing, ...seen, choices: choicesOf(found, seen.scores) }
  return {
    ...nothing,
    ...seen,
    plugins: [...found.diagnosis.plugins].sort(),
    endings: endings(bench, found),
    candidates: candidates(bench, found),
  }
}

/** All nodes of the greatest score, of which the scheduler's choice must be one; or the only node. */
function choicesOf({ node, feasible }: Extract<Decision, { kind: 'node' }>, scores: Decided['scores'] = {}): string[] {
  if (feasible === 1) return [node.name]
  const best = Math.max(...Object.values(scores).map(({ total }) => total!))
  const choices = Object.keys(scores).filter((name) => scores[name]!['total'] === best)
  if (!choices.includes(node.name)) throw new Error(`${node.name} was chosen, which has not the greatest score`)
  return choices
}

/** Of volumes of the same size upstream takes the first of a map. */
function choosesVolumes({ kube, pod }: Bench): boolean {
  const sizes = kube.list(PersistentVolume).map(({ spec }) => spec.capacity?.storage)
  return mountsClaims(pod.pod) && new Set(sizes).size === sizes.length
}

function bound({ kube, pod: { pod } }: Bench, nodeName: string): string[] {
  const claims = claimsOf(kube, pod)
  const plan = typeof claims === 'string' ? [] : planFor(kube, claims, kube.get(Node, nodeName)!, new Map())
  if (!('bindings' in plan)) throw new Error(`the volumes of the pod are not for ${nodeName}, which was chosen`)
  const taken = plan.bindings.map(({ claim, volume }) => `${volume.metadata.name}=${keyOf(claim)}`)
  return [...taken, ...plan.provisions.map((claim) => `${keyOf(claim)}@${nodeName}`)].sort()
}

/** What the plugins say of every node, and how they rank those that are feasible. */
function look({ plugins, cache, nominations, pod }: Bench): Pick<Decided, 'statuses' | 'scores'> {
  const { filters, status: before, nodeNames } = preFilter(plugins, pod, cache)
  const statuses: Record<string, NodeStatus> = {}
  const feasible = cache.nodes.filter((node) => {
    if (!before && nodeNames && !nodeNames.has(node.name)) {
      statuses[node.name] = { code: 'not named', plugin: '', reasons: null }
      return false
    }
    const status = before ?? filterWithNominated(filters, pod, node, nominations)
    if (status) statuses[node.name] = told(status)
    return !status
  })
  if (feasible.length < 2) return { statuses }
  const scores = Object.fromEntries(feasible.map(({ name }) => [name, {} as Record<string, number>]))
  const note = (of: string, values: Float64Array) => {
    for (const [i, { name }] of feasible.entries()) scores[name]![of] = values[i]!
  }
  note('total', scoreNodes(plugins, pod, feasible, cache, { explain: note }))
  return { statuses, scores }
}

const told = ({ unresolvable, plugin, reasons }: Status): NodeStatus => ({
  code: unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable',
  plugin,
  reasons,
})

function endings(bench: Bench, { filters, diagnosis, nodes }: Extract<Decision, { kind: 'unfit' }>): Ending[] {
  const { profile, pod } = bench
  const found = new Map<string, Ending>()
  for (const random of eachCourse()) {
    const preemption = profile.preempts ? preemptionOf(bench, random, profile.args.preemption) : undefined
    const outcome = postFilter(preemption, pod, filters, diagnosis, dated(bench))
    const message = fitMessage(nodes, { ...diagnosis, postFilterMessage: outcome.message })
    const going = goingFrom(outcome.candidate)
    const cleared = going.length > 0 ? outranked(bench.nominations.on(outcome.candidate!.node), pod) : []
    const ending = {
      message,
      ...(outcome.nominate !== undefined ? { nominated: outcome.nominate } : {}),
      victims: keysOf(going).sort(),
      cleared: keysOf(cleared).sort(),
    }
    found.set(JSON.stringify(ending), ending)
  }
  return [...found.values()]
}

/** All nodes that could be chosen, whatever the number that is looked for. */
function candidates(bench: Bench, { filters, diagnosis }: Extract<Decision, { kind: 'unfit' }>): PreemptionCandidate[] {
  if (!bench.profile.preempts || diagnosis.preFilterMessage) return []
  const args = { minCandidateNodesPercentage: 100, minCandidateNodesAbsolute: 0 }
  const random = eachCourse().next().value
  const preemption = preemptionOf(bench, random as RandomStream, args)
  if (preemption.ineligible(bench.pod, diagnosis.statuses)) return []
  return preemption
    .candidates(bench.pod, filters, diagnosis.statuses, dated(bench))
    .candidates.map(({ node, victims, violations }: Candidate) => ({ node, victims: keysOf(victims), violations }))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

const preemptionOf = (
  { cache, nominations }: Bench,
  random: RandomStream,
  args: ConstructorParameters<typeof Preemption>[0]['args'],
) => new Preemption({ cache, nominations, random, args })

const dated = ({ kube }: Bench) => ({ now: NOW, budgets: kube.list(PodDisruptionBudget) })

const keysOf = (infos: Candidate['victims']): string[] => infos.map(({ pod }) => keyOf(pod))
