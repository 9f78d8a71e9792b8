import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../kube/objects.ts'
import { randomStream } from '../world/random.ts'
import { Algorithm } from './algorithm.ts'
import { SchedulerCache } from './cache.ts'
import { defaultPlugins } from './framework/plugins/index.ts'
import { podInfo } from './framework/pod-info.ts'
import { preFilter, runFilters, scoreNodes } from './framework/runtime.ts'
import { node, pod } from './testing.ts'

const listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }
const nominations = { on: () => [] }

const amounts = fc.record({
  cpu: fc.constantFrom('250m', '1', '3', '7'),
  memory: fc.constantFrom('512Mi', '1Gi', '20Gi', '3e9'),
  gpus: fc.constantFrom(0, 1, 2, 8),
})
const clusters = fc.record({
  nodes: fc.array(
    fc.record({
      cpu: fc.constantFrom('4', '16'),
      memory: fc.constantFrom('8Gi', '64Gi'),
      gpus: fc.constantFrom(0, 4, 8),
    }),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
  pods: fc.array(amounts, { maxLength: 40 }),
  leaving: fc.array(fc.nat(39), { maxLength: 10 }),
  seed: fc.nat(),
})

interface Placement {
  readonly cache: SchedulerCache
  readonly chosen: (string | undefined)[]
}

/** Schedules all pods one after the other; every so often one leaves. Calls `check` before each decision is taken. */
function place(
  { nodes, pods, leaving, seed }: typeof clusters extends fc.Arbitrary<infer T> ? T : never,
  check: (cache: SchedulerCache, incoming: Pod, chosen: string | undefined) => void = () => {},
): Placement {
  const cache = new SchedulerCache()
  for (const [i, each] of nodes.entries()) cache.setNode(node(`n${i}`, { ...each, pods: '10' }) as Node)
  const algorithm = new Algorithm({
    plugins: defaultPlugins(listers),
    cache,
    nominations,
    random: randomStream(seed, 't'),
  })
  const chosen = pods.map((each, i) => {
    if (leaving.includes(i)) cache.forget(`uid-p${i - 1}`)
    const incoming = pod(`p${i}`, each)
    const decision = algorithm.schedule(podInfo(incoming))
    const name = decision.kind === 'node' ? decision.node.name : undefined
    check(cache, incoming, name)
    if (name) cache.assume(podInfo(incoming), name)
    return name
  })
  return { cache, chosen }
}

describe('any sequence of pods', () => {
  it('never overcommits a node', () => {
    fc.assert(
      fc.property(clusters, (cluster) => {
        for (const { allocatable, requested, pods } of place(cluster).cache.nodes) {
          const sum = (of: (p: Pod) => number) => pods.reduce((total, info) => total + of(info.pod), 0)
          expect(requested.milliCpu).toBeLessThanOrEqual(allocatable.milliCpu)
          expect(requested.memoryBytes).toBeLessThanOrEqual(allocatable.memoryBytes)
          const gpus = sum((p) => Number(p.spec.containers[0]!.resources.requests?.['nvidia.com/gpu'] ?? 0))
          expect(gpus).toBe(requested.scalars.get('nvidia.com/gpu') ?? 0)
          expect(gpus).toBeLessThanOrEqual(allocatable.scalars.get('nvidia.com/gpu') ?? 0)
          expect(pods.length).toBeLessThanOrEqual(10)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('puts each pod on a feasible node of the greatest score, or nowhere when there is none', () => {
    const plugins = defaultPlugins(listers)
    fc.assert(
      fc.property(clusters, (cluster) => {
        place(cluster, (cache, incoming, chosen) => {
          const info = podInfo(incoming)
          const { filters } = preFilter(plugins, info, cache)
          const feasible = cache.nodes.filter((each) => !runFilters(filters, info, each))
          if (!chosen) return expect(feasible).toHaveLength(0)
          const totals = scoreNodes(plugins, info, feasible, cache)
          const at = feasible.findIndex((each) => each.name === chosen)
          expect(totals[at]).toBe(Math.max(...totals))
        })
      }),
      { numRuns: 60 },
    )
  })

  it('gives the same placement for the same seed', () => {
    fc.assert(
      fc.property(clusters, (cluster) => {
        expect(place(cluster).chosen).toEqual(place(cluster).chosen)
      }),
      { numRuns: 40 },
    )
  })
})
