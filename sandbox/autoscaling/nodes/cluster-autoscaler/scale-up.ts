import type { Node, Pod } from '../../../kube/objects.ts'
import { factsOf } from '../../../scheduler/framework/pod-info.ts'
import { type Resource, resourceOf } from '../../../scheduler/framework/resources.ts'
import type { RandomStream } from '../../../world/random.ts'
import type { FitSimulator, Misfit } from '../fit.ts'
import { templateNode } from '../machines.ts'
import type { NodeGroup } from './node-group.ts'
import type { ClusterAutoscalerFlags } from './options.ts'

/** What a group could do for the pods that wait. */
export interface Option {
  readonly group: NodeGroup
  readonly nodes: number
  readonly pods: readonly Pod[]
}

/** Pods in the order in which they are packed: the largest share of a node first. Follows estimator/decreasing_pod_orderer.go. */
function bySize(pods: readonly Pod[], template: Node): Pod[] {
  const has = resourceOf(template.status.allocatable)
  const score = (pod: Pod) => {
    const wants = factsOf(pod.spec).requests
    return wants.milliCpu / Math.max(has.milliCpu, 1) + wants.memoryBytes / Math.max(has.memoryBytes, 1)
  }
  return [...pods].sort((a, b) => score(b) - score(a))
}

/**
 * How many new nodes of the group the pods need, first fit, and which pods they would take. A pod that does not fit an empty
 * node says why instead. Follows cluster-autoscaler/estimator/binpacking_estimator.go.
 */
export function estimate(
  group: NodeGroup,
  pods: readonly Pod[],
  { simulator, room, daemons }: { simulator: FitSimulator; room: number; daemons: readonly Pod[] },
): { option: Option | undefined; misfits: ReadonlyMap<Pod, Misfit> } {
  const template = (i: number) => templateNode(`template-node-for-${group.name}-${i}`, group.options.shape)
  const mine = new Set<string>()
  const used = new Set<string>()
  const taken: Pod[] = []
  const misfits = new Map<Pod, Misfit>()
  for (const pod of bySize(pods, template(0))) {
    let placed = simulator.place(pod, (node) => mine.has(node))
    if ('misfit' in placed) {
      const empty = [...mine].find((name) => !used.has(name))
      if (empty === undefined && mine.size < Math.max(room, 1)) {
        const node = template(mine.size)
        addWithDaemons(simulator, node, daemons)
        mine.add(node.metadata.name)
        placed = simulator.place(pod, (name) => name === node.metadata.name)
      }
    }
    if ('misfit' in placed) misfits.set(pod, placed.misfit)
    else {
      used.add(placed.node)
      taken.push(pod)
    }
  }
  const nodes = Math.min(used.size, room)
  return { option: nodes > 0 && taken.length > 0 ? { group, nodes, pods: taken } : undefined, misfits }
}

/** A new node comes with a pod of each DaemonSet that may run there. */
export function addWithDaemons(simulator: FitSimulator, node: Node, daemons: readonly Pod[]): void {
  const { name } = node.metadata
  simulator.addNode(node)
  for (const pod of daemons) {
    const metadata = { ...pod.metadata, uid: `${pod.metadata.uid}/${name}` }
    simulator.place({ ...pod, metadata }, (node) => node === name)
  }
}

/** Groups by priority, as the priority expander's ConfigMap lists them. */
export type Priorities = ReadonlyMap<number, readonly RegExp[]>

/** Chooses one; equals by chance. Follows cluster-autoscaler/expander/{random,waste,mostpods,leastnodes,priority}. */
export function choose(
  options: readonly Option[],
  {
    expander,
    random,
    priorities,
  }: {
    readonly expander: ClusterAutoscalerFlags['expander']
    readonly random: RandomStream
    readonly priorities?: Priorities | undefined
  },
): Option | undefined {
  if (options.length === 0) return undefined
  let best = options
  if (expander === 'priority') {
    if (!priorities) return undefined
    const priority = ({ group }: Option) =>
      Math.max(-1, ...[...priorities].flatMap(([n, names]) => (names.some((re) => re.test(group.name)) ? [n] : [])))
    best = lowest(options, (option) => -priority(option))
  }
  if (expander === 'least-nodes') best = lowest(options, ({ nodes }) => nodes)
  if (expander === 'most-pods') best = lowest(options, ({ pods }) => -pods.length)
  if (expander === 'least-waste') best = lowest(options, waste)
  return best[best.length === 1 ? 0 : random.int(best.length)]
}

function lowest(options: readonly Option[], score: (option: Option) => number): Option[] {
  const least = Math.min(...options.map(score))
  return options.filter((option) => score(option) === least)
}

function waste({ group, nodes, pods }: Option): number {
  const has = resourceOf(templateNode(group.name, group.options.shape).status.capacity)
  const wants = pods.map((pod) => factsOf(pod.spec).requests)
  const share = (amount: (r: Resource) => number) => {
    const available = amount(has) * nodes
    return (available - wants.reduce((sum, w) => sum + amount(w), 0)) / available
  }
  return share((r) => r.milliCpu) + share((r) => r.memoryBytes)
}
