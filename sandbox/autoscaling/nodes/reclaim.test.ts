import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cloudNodeLifecycleController } from '../../controllers/node-lifecycle/cloud.ts'
import { readyPods, taintsOf } from '../../controllers/node-lifecycle/testkit.ts'
import { Node } from '../../kube/kinds.ts'
import { isFinished } from '../../kube/pods.ts'
import type { RunningNode } from '../../nodes/node.ts'
import { seconds } from '../../world/time.ts'
import { runClusterAutoscaler } from './cluster-autoscaler/cluster-autoscaler.ts'
import { instancesOf, reclaim, type TerminationHandler } from './reclaim.ts'
import { elasticCluster, gpuShape } from './testkit.ts'

const setup = (nodes: number) => {
  const known = new Map<string, RunningNode>()
  const controllers = [cloudNodeLifecycleController({ instances: instancesOf(known) })]
  const c = elasticCluster({ nodes, controllers })
  for (const node of c.nodes) known.set(node.name, node)
  return { ...c, known }
}

describe('a machine the cloud takes back', () => {
  const take = (handler?: (c: ReturnType<typeof setup>) => TerminationHandler) => {
    const c = setup(2)
    c.deploy(2, 0, { terminationGracePeriodSeconds: 20 })
    c.at(60)
    const [lost] = c.podsOn(0)
    const made = handler?.(c)
    reclaim(c.nodes[0]!, { world: c.world, notice: seconds(120), ...(made ? { handler: made } : {}) })
    return { c, lost: lost! }
  }

  it('goes without a word when nobody listens: its pods are back when the cloud has deleted the Node', () => {
    const { c } = take()
    c.at(175)
    expect(c.podsOn(0)).toHaveLength(1)
    c.at(181)
    expect(c.nodes[0]!.power).toBe('gone')
    c.at(60 + 120 + 38)
    expect(c.store.peek(Node, 'node-0')).toBeDefined()
    c.at(60 + 120 + 70)
    expect(c.store.peek(Node, 'node-0')).toBeUndefined()
    c.at(60 + 120 + 140)
    expect(readyPods(c.podsOn(1))).toHaveLength(2)
  })

  it('is drained on notice by a termination handler', () => {
    const { c } = take((cluster) => ({ kind: 'drain', kube: cluster.kube('termination-handler') }))
    c.at(70)
    expect(taintsOf(c.node(0))).toContain('NoSchedule aws-node-termination-handler/spot-itn')
    expect(c.node(0).spec.unschedulable).toBe(true)
    c.at(90)
    expect(readyPods(c.podsOn(1))).toHaveLength(2)
    expect(c.podsOn(0)).toEqual([])
    c.at(400)
    expect(c.store.list(Node).map((n) => n.metadata.name)).toEqual(['node-1'])
  })

  it('shuts down in order where the kubelet is told of it', () => {
    const periods = { gracePeriod: seconds(30), criticalGracePeriod: seconds(10) }
    const { c, lost } = take(() => ({ kind: 'graceful-shutdown', ...periods }))
    c.at(95)
    expect(c.pod(`default/${lost.metadata.name}`).status).toMatchObject({ phase: 'Failed', reason: 'Terminated' })
    expect(readyPods(c.podsOn(1))).toHaveLength(2)
    expect(c.nodes[0]!.power).toBe('off')
  })
})

describe('whatever machines are taken', () => {
  it('no pod is lost where an autoscaler buys new ones', () => {
    const loss = fc.record({ which: fc.nat(3), after: fc.integer({ min: 1, max: 300 }), drained: fc.boolean() })
    fc.assert(
      fc.property(fc.array(loss, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 500 }), (losses, seed) => {
        const known = new Map<string, RunningNode>()
        const controllers = [cloudNodeLifecycleController({ instances: instancesOf(known) })]
        const c = elasticCluster({ seed, controllers })
        const park = {
          ...c.park,
          addNode: (...args: Parameters<typeof c.park.addNode>) => {
            const node = c.park.addNode(...args)
            known.set(node.name, node)
            return node
          },
        }
        const label = 'cloud.google.com/gke-accelerator'
        const shape = gpuShape(8, { labels: { [label]: 'nvidia-h100' } })
        const groups = [{ name: 'gpu', min: 0, max: 12, shape }]
        const kube = c.kube('cluster-autoscaler')
        runClusterAutoscaler({ world: c.world, kube, park, groups, flags: { gpuLabel: label } })
        c.deploy(4, 8)
        c.at(400)
        for (const { which, after, drained } of losses) {
          c.clock.runUntil(c.clock.now + seconds(after))
          const nodes = [...known.values()].filter(({ power }) => power === 'on')
          const node = nodes[which % Math.max(nodes.length, 1)]
          if (!node) continue
          const handler = { kind: 'drain' as const, kube: c.kube('termination-handler') }
          reclaim(node, { world: c.world, notice: seconds(120), ...(drained ? { handler } : {}) })
        }
        c.clock.runUntil(c.clock.now + seconds(1800))
        const pods = c.pods().filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)
        expect(readyPods(pods)).toHaveLength(4)
        const used = [...known.values()].flatMap((n) => (n.containerStats() ?? []).flatMap((s) => s.devices))
        expect(new Set(used).size).toBe(used.length)
      }),
      { numRuns: 8 },
    )
  })
})
