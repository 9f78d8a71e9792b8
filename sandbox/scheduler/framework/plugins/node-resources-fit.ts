import type { Node, Pod } from '../../../kube/objects.ts'
import { Action } from '../events.ts'
import type { Plugin } from '../plugin.ts'
import { plugin } from '../plugin.ts'
import { factsOf, type PodFacts } from '../pod-info.ts'
import { knownResourceOf, type Resource, resourceOf } from '../resources.ts'
import type { Status } from '../status.ts'
import { leastAllocated } from './resource-scores.ts'
import { resourceScore, type ScoringStrategy } from './resource-strategies.ts'

const NAME = 'NodeResourcesFit'

/** Whether what the pod requests is free, and how much would stay free. Follows pkg/scheduler/framework/plugins/noderesources/fit.go. */
export const nodeResourcesFit = plugin<undefined, true>({
  name: NAME,
  nodeLocal: true,
  weight: 1,
  filter: (_, { facts }, node) => fits(facts, node.allocatable, node.requested, node.pods.length),
  preScore: () => true,
  score: (_, { facts }, node) => leastAllocated(facts, node),
  events: [
    { resource: 'Pod', actions: Action.Delete | Action.UpdatePodScaleDown, hint: podFreed },
    { resource: 'Node', actions: Action.Add | Action.UpdateNodeAllocatable, hint: nodeGrew },
  ],
})

/** The arguments of the plugin, as a KubeSchedulerConfiguration gives them. */
export interface FitArgs {
  /** Extended resources that are not checked, by name and by the part of the name before the slash. */
  readonly ignoredResources: readonly string[]
  readonly ignoredResourceGroups: readonly string[]
  /** Undefined: the free shares of cpu and memory. */
  readonly scoringStrategy?: ScoringStrategy
}

/** The plugin with arguments of its own. */
export function nodeResourcesFitWith(args: FitArgs): Plugin {
  const { ignoredResources, ignoredResourceGroups, scoringStrategy } = args
  const ignores = (name: string) =>
    ignoredResources.includes(name) || ignoredResourceGroups.includes(name.slice(0, name.indexOf('/')))
  const score = scoringStrategy ? resourceScore(scoringStrategy) : leastAllocated
  return {
    ...nodeResourcesFit,
    filter: (_, { facts }, node) => fits(facts, node.allocatable, node.requested, node.pods.length, ignores),
    score: (_, { facts }, node) => score(facts, node),
  }
}

/** What of a pod's requests a node lacks; undefined when nothing. */
function fits(
  facts: PodFacts,
  has: Resource,
  used: Resource,
  pods: number,
  ignores?: (name: string) => boolean,
): Status | undefined {
  const { requests } = facts
  let lacking: string[] | undefined
  let never = false
  const lacks = (reason: string, wanted: number, allocatable: number) => {
    lacking ??= []
    lacking.push(reason)
    if (wanted > allocatable) never = true
  }
  if (pods + 1 > has.pods) lacks('Too many pods', 0, 0)
  if (!facts.requestsNothing) {
    if (requests.milliCpu > 0 && requests.milliCpu > has.milliCpu - used.milliCpu)
      lacks('Insufficient cpu', requests.milliCpu, has.milliCpu)
    if (requests.memoryBytes > 0 && requests.memoryBytes > has.memoryBytes - used.memoryBytes)
      lacks('Insufficient memory', requests.memoryBytes, has.memoryBytes)
    if (
      requests.ephemeralStorageBytes > 0 &&
      requests.ephemeralStorageBytes > has.ephemeralStorageBytes - used.ephemeralStorageBytes
    )
      lacks('Insufficient ephemeral-storage', requests.ephemeralStorageBytes, has.ephemeralStorageBytes)
    for (const [name, wanted] of facts.scalars) {
      if (ignores && isExtended(name) && ignores(name)) continue
      const allocatable = has.scalars.get(name) ?? 0
      if (wanted > allocatable - (used.scalars.get(name) ?? 0)) lacks(`Insufficient ${name}`, wanted, allocatable)
    }
  }
  return lacking && statusOf(lacking, never)
}

const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/')

const statuses = new Map<string, Status>()

function statusOf(reasons: readonly string[], never: boolean): Status {
  const key = `${never}${reasons.join()}`
  let status = statuses.get(key)
  if (!status) {
    status = { plugin: NAME, reasons, unresolvable: never }
    statuses.set(key, status)
  }
  return status
}

const NONE: Resource = resourceOf({})

function podFreed(pod: Pod, before: Pod | Node | undefined, after: Pod | Node | undefined): boolean {
  const [was, is] = [before as Pod, after as Pod | undefined]
  if (!is) return Boolean(was.spec.nodeName || was.status?.nominatedNodeName)
  if (is.metadata.uid === pod.metadata.uid) return true
  if (!is.spec.nodeName) return false
  const [old, now] = [factsOf(was.spec).requests, factsOf(is.spec).requests]
  return anyIncreased(factsOf(pod.spec), now, old)
}

function nodeGrew(pod: Pod, before: Pod | Node | undefined, after: Pod | Node | undefined): boolean {
  const facts = factsOf(pod.spec)
  const now = knownResourceOf((after as Node).status?.allocatable)
  if (fits(facts, now, NONE, 0)) return false
  if (!before) return true
  const old = knownResourceOf((before as Node).status?.allocatable)
  return now.pods > old.pods || (!facts.requestsNothing && anyIncreased(facts, old, now))
}

/** Whether a resource the pod requests is more in `to` than in `from`. */
function anyIncreased({ requests, scalars }: PodFacts, from: Resource, to: Resource): boolean {
  return (
    (requests.milliCpu > 0 && to.milliCpu > from.milliCpu) ||
    (requests.memoryBytes > 0 && to.memoryBytes > from.memoryBytes) ||
    (requests.ephemeralStorageBytes > 0 && to.ephemeralStorageBytes > from.ephemeralStorageBytes) ||
    scalars.some(([name]) => (to.scalars.get(name) ?? 0) > (from.scalars.get(name) ?? 0))
  )
}
