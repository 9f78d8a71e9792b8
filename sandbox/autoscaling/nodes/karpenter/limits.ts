import type * as o from '../../../kube/objects.ts'
import { type Resource, resourceOf } from '../../../scheduler/framework/resources.ts'
import type { Candidate } from './candidates.ts'

/** What a pool's `limits` leave for more nodes. Follows filterByRemainingResources and subtractMax in scheduling/scheduler.go. */
export class Remaining {
  private readonly left = new Map<string, number>()

  constructor({ spec }: o.NodePool, used: { readonly resources: Resource; readonly nodes: number }) {
    for (const [name, limit] of Object.entries(spec.limits ?? {})) {
      const taken = name === 'nodes' ? used.nodes : amount(used.resources, name)
      this.left.set(
        name,
        (name === 'nodes' ? Number(limit) : amount(resourceOf({ [name]: String(limit) }), name)) - taken,
      )
    }
  }

  admits({ capacity }: Candidate): boolean {
    for (const [name, left] of this.left) if (need(capacity, name) > left) return false
    return true
  }

  /** Until it is known which of them is bought, the largest of each resource counts. */
  take(candidates: readonly Candidate[]): void {
    for (const [name, left] of this.left)
      this.left.set(name, left - Math.max(...candidates.map(({ capacity }) => need(capacity, name))))
  }
}

const need = (capacity: Resource, name: string): number => (name === 'nodes' ? 1 : amount(capacity, name))

function amount(resource: Resource, name: string): number {
  if (name === 'cpu') return resource.milliCpu
  if (name === 'memory') return resource.memoryBytes
  if (name === 'ephemeral-storage') return resource.ephemeralStorageBytes
  return name === 'pods' ? resource.pods : (resource.scalars.get(name) ?? 0)
}
