import type * as o from '../../../kube/objects.ts'
import { keepsAway } from '../../../scheduler/framework/plugins/taints.ts'
import type { PodFacts } from '../../../scheduler/framework/pod-info.ts'
import { addResource, type Resource, resourceOf, zeroResource } from '../../../scheduler/framework/resources.ts'
import { type MachineShape, templateNode } from '../machines.ts'

/** A sort of instance the cloud sells. */
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
  readonly pricePerHour: number
  readonly capacityType: Offering['capacityType']
  /** With the pool's labels and taints, startup taints too. */
  readonly shape: MachineShape
  readonly labels: Readonly<Record<string, string>>
  readonly allocatable: Resource
  readonly capacity: Resource
}

/** What of the catalogue the pool's requirements allow, cheapest first. */
export function candidatesOf(pool: o.NodePool, catalogue: readonly InstanceType[]): Candidate[] {
  const { metadata, spec } = pool.spec.template
  const found: Candidate[] = []
  for (const type of catalogue)
    for (const offering of type.offerings) {
      const shape: MachineShape = {
        ...type.shape,
        instanceType: type.name,
        zone: offering.zone,
        labels: {
          ...type.shape.labels,
          ...metadata?.labels,
          'karpenter.sh/nodepool': pool.metadata.name,
          'karpenter.sh/capacity-type': offering.capacityType,
        },
        taints: [...(spec.taints ?? []), ...(spec.startupTaints ?? [])],
      }
      const node = templateNode('candidate', shape)
      const labels = node.metadata.labels ?? {}
      if (!spec.requirements.every((requirement) => allows(requirement, labels))) continue
      found.push({
        key: `${type.name}/${offering.zone}/${offering.capacityType}`,
        pricePerHour: offering.pricePerHour,
        capacityType: offering.capacityType,
        shape,
        labels,
        allocatable: resourceOf(node.status.allocatable),
        capacity: resourceOf(node.status.capacity),
      })
    }
  return found.sort((a, b) => a.pricePerHour - b.pricePerHour || (a.key < b.key ? -1 : 1))
}

/** Follows pkg/scheduling/requirement.go. */
function allows({ key, operator, values = [] }: o.NodeRequirement, labels: Readonly<Record<string, string>>): boolean {
  const has = labels[key]
  if (operator === 'Exists') return has !== undefined
  if (operator === 'DoesNotExist') return has === undefined
  if (operator === 'NotIn') return has === undefined || !values.includes(has)
  if (has === undefined) return false
  if (operator === 'In') return values.includes(has)
  return operator === 'Gt' ? Number(has) > Number(values[0]) : Number(has) < Number(values[0])
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
