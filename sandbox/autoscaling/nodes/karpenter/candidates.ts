import type * as o from '../../../kube/objects.ts'
import { keepsAway } from '../../../scheduler/framework/plugins/taints.ts'
import type { PodFacts } from '../../../scheduler/framework/pod-info.ts'
import { addResource, type Resource, resourceOf, zeroResource } from '../../../scheduler/framework/resources.ts'
import { type MachineShape, templateNode } from '../machines.ts'
import { allows, customLabels } from './requirements.ts'

/** A sort of instance the cloud sells. Plain values. */
export interface InstanceType {
  readonly name: string
  readonly shape: Omit<MachineShape, 'instanceType' | 'zone' | 'taints'>
  readonly offerings: readonly Offering[]
}

export interface Offering {
  readonly zone: string
  readonly capacityType: 'spot' | 'on-demand'
  readonly pricePerHour: number
}

/** One instance that could be bought for a pool. */
export interface Candidate {
  /** `type/zone/capacity type`. */
  readonly key: string
  readonly type: string
  readonly zone: string
  readonly pricePerHour: number
  readonly capacityType: Offering['capacityType']
  /** With the pool's labels and taints, startup taints too. */
  readonly shape: MachineShape
  readonly labels: Readonly<Record<string, string>>
  /** What pods may request, less what DaemonSets will. */
  readonly allocatable: Resource
  readonly capacity: Resource
}

/** A pod that runs on every node it may go to. */
export interface DaemonPod {
  readonly pod: o.Pod
  readonly facts: PodFacts
}

/** What of the catalogue the pool's requirements allow, cheapest first. Follows pkg/controllers/provisioning/scheduling/nodeclaimtemplate.go. */
export function candidatesOf(
  pool: o.NodePool,
  catalogue: readonly InstanceType[],
  daemons: readonly DaemonPod[] = [],
): Candidate[] {
  const { metadata, spec } = pool.spec.template
  const found: Candidate[] = []
  const own = customLabels(spec.requirements)
  for (const type of catalogue)
    for (const offering of type.offerings)
      for (const custom of own) {
        const labels = {
          ...type.shape.labels,
          ...custom,
          ...metadata?.labels,
          'karpenter.sh/nodepool': pool.metadata.name,
          'karpenter.sh/capacity-type': offering.capacityType,
        }
        const shape: MachineShape = {
          ...type.shape,
          instanceType: type.name,
          zone: offering.zone,
          labels,
          taints: [...(spec.taints ?? []), ...(spec.startupTaints ?? [])],
        }
        const candidate = candidateOf(type.name, offering, shape)
        if (!spec.requirements.every((requirement) => allows(requirement, candidate.labels))) continue
        for (const { pod, facts } of daemons)
          if (accepts(candidate, pod, facts, spec.taints)) take(candidate.allocatable, facts)
        found.push(candidate)
      }
  return found.sort((a, b) => a.pricePerHour - b.pricePerHour || (a.key < b.key ? -1 : 1))
}

function candidateOf(type: string, { zone, capacityType, pricePerHour }: Offering, shape: MachineShape): Candidate {
  const node = templateNode('candidate', shape)
  return {
    key: `${type}/${zone}/${capacityType}`,
    type,
    zone,
    pricePerHour,
    capacityType,
    shape,
    labels: node.metadata.labels ?? {},
    allocatable: resourceOf(node.status.allocatable),
    capacity: resourceOf(node.status.capacity),
  }
}

function take(from: Resource, { requests }: PodFacts): void {
  addResource(from, requests, -1)
  from.pods--
}

/** Whether a pod may run on such a node at all. Startup taints do not count: they go. */
export function accepts(
  candidate: Candidate,
  pod: o.Pod,
  facts: PodFacts,
  taints: readonly o.Taint[] | undefined,
): boolean {
  if (taints && keepsAway([...taints], pod.spec.tolerations)) return false
  const node = { metadata: { name: candidate.key, labels: candidate.labels } }
  return !facts.requiredNode || facts.requiredNode(node as Parameters<NonNullable<PodFacts['requiredNode']>>[0])
}

export function sumOf(facts: readonly PodFacts[]): Resource {
  const sum = zeroResource()
  for (const { requests } of facts) addResource(sum, requests, 1)
  sum.pods = facts.length
  return sum
}

export function holds(has: Resource, wants: Resource): boolean {
  if (wants.milliCpu > has.milliCpu || wants.memoryBytes > has.memoryBytes || wants.pods > has.pods) return false
  if (wants.ephemeralStorageBytes > has.ephemeralStorageBytes) return false
  for (const [name, amount] of wants.scalars) if (amount > (has.scalars.get(name) ?? 0)) return false
  return true
}
