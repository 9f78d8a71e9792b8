import { type DrillResult, runDrill } from './drill.ts'
import type { Plan, RandomPlatform } from './platform.ts'

export interface Case {
  readonly platform: RandomPlatform
  readonly plan: Plan
  readonly seed: number
}

/** Runs a shrinking may take. */
const TRIES_MAX = 200

/**
 * The smallest case found that still breaks the same rule: without faults, objects and nodes it can do without, each dropped in halves
 * and then one by one.
 */
export async function shrink(failing: Case, invariant: string): Promise<Case> {
  let tries = 0
  const stillFails = async (candidate: Case): Promise<boolean> => {
    if (tries++ >= TRIES_MAX) return false
    const { violations } = await runDrill(candidate.platform, candidate.plan, candidate.seed)
    return breaks(violations, invariant)
  }
  let smallest = failing
  for (let before = ''; before !== JSON.stringify(smallest); ) {
    before = JSON.stringify(smallest)
    for (const part of parts) smallest = await without(smallest, part, stillFails)
  }
  return smallest
}

const breaks = (violations: DrillResult['violations'], invariant: string): boolean =>
  violations.some((one) => one.invariant === invariant)

/** A list within a case, and the case with another list in its place. */
interface Part {
  list(of: Case): readonly unknown[]
  put(into: Case, list: readonly never[]): Case
}

const parts: readonly Part[] = [
  { list: ({ plan }) => plan.faults, put: (at, faults) => ({ ...at, plan: { ...at.plan, faults } }) },
  {
    list: ({ platform }) => platform.objects,
    put: (at, objects: readonly RandomPlatform['objects'][number][]) => {
      const left = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`))
      const workloads = at.platform.workloads
        .filter(({ kind, namespace, name }) => left.has(`${kind} ${namespace} ${name}`))
        .map(({ servicePort, ...rest }) =>
          left.has(`Service ${rest.namespace} ${rest.name}`) && servicePort !== undefined
            ? { ...rest, servicePort }
            : rest,
        )
      return { ...at, platform: { ...at.platform, objects, workloads } }
    },
  },
  {
    list: ({ platform }) => platform.nodes,
    put: (at, nodes) => (nodes.length === 0 ? at : { ...at, platform: { ...at.platform, nodes } }),
  },
]

async function without(from: Case, part: Part, stillFails: (candidate: Case) => Promise<boolean>): Promise<Case> {
  let smallest = from
  for (let size = Math.ceil(part.list(from).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let start = 0; start < part.list(smallest).length; ) {
      const list = part.list(smallest)
      const kept = [...list.slice(0, start), ...list.slice(start + size)] as never[]
      const candidate = part.put(smallest, kept)
      if (candidate !== smallest && (await stillFails(candidate))) smallest = candidate
      else start += size
    }
  return smallest
}
