import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H100, type NodeCluster, nodeCluster, readyPods } from '../controllers/node-lifecycle/testkit.ts'
import { isFinished } from '../kube/pods.ts'
import { seconds } from '../world/time.ts'

const boot = { kubelet: seconds(20), devicePlugin: seconds(30) }

describe('whatever befalls the nodes', () => {
  const fault = fc.record({
    node: fc.nat(2),
    kind: fc.constantFrom('off', 'cut', 'xid79', 'xid94', 'shutdown'),
    after: fc.integer({ min: 1, max: 120 }),
    lasts: fc.integer({ min: 1, max: 500 }),
  })

  const inject = (c: NodeCluster, { node, kind }: { node: number; kind: string }): (() => void) => {
    const target = c.nodes[node]!
    if (kind === 'cut') return target.disconnect()
    if (kind.startsWith('xid')) return target.failGpu(target.gpus[0]!, Number(kind.slice(3)))
    if (kind === 'shutdown') target.shutDown({ gracePeriod: seconds(30), criticalGracePeriod: seconds(10) })
    else target.powerOff()
    return () => target.powerOn()
  }

  /** Every GPU has one holder, and that pod is bound to its node. */
  const checkGpus = (c: NodeCluster) => {
    for (const [i, node] of c.nodes.entries()) {
      const stats = node.containerStats() ?? []
      const used = stats.flatMap(({ devices }) => devices)
      expect(new Set(used).size).toBe(used.length)
      for (const { pod } of stats) expect(pod.spec.nodeName).toBe(`node-${i}`)
    }
  }

  it('no GPU is given out twice, and no pod is lost', () => {
    fc.assert(
      fc.property(
        fc.array(fault, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 1000 }),
        (faults, seed) => {
          const node = () => ({ gpu: { ...H100, count: 2 } })
          const c = nodeCluster({ nodes: 3, seed, node, options: { bootTimings: boot } })
          c.deploy(4, 1)
          c.at(60)
          for (const f of faults) {
            c.clock.runUntil(c.clock.now + seconds(f.after))
            const heal = inject(c, f)
            c.clock.after(seconds(f.lasts), heal)
            checkGpus(c)
          }
          for (let i = 0; i < 60; i++) {
            c.clock.runUntil(c.clock.now + seconds(30))
            checkGpus(c)
          }
          for (const n of c.nodes) n.powerOn()
          c.clock.runUntil(c.clock.now + seconds(1200))
          const alive = c.pods().filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)
          expect(readyPods(alive)).toHaveLength(4)
          expect(c.pods().filter((pod) => pod.metadata.deletionTimestamp)).toEqual([])
        },
      ),
      {
        numRuns: 40,
        examples: [
          [
            [
              { node: 0, kind: 'off', after: 1, lasts: 1 },
              { node: 0, kind: 'cut', after: 1, lasts: 348 },
              { node: 1, kind: 'cut', after: 1, lasts: 52 },
              { node: 1, kind: 'off', after: 1, lasts: 1 },
            ],
            97,
          ],
          [
            [
              { node: 0, kind: 'off', after: 1, lasts: 1 },
              { node: 2, kind: 'off', after: 1, lasts: 34 },
              { node: 0, kind: 'cut', after: 1, lasts: 49 },
              { node: 1, kind: 'off', after: 2, lasts: 25 },
              { node: 2, kind: 'cut', after: 50, lasts: 305 },
            ],
            7,
          ],
        ],
      },
    )
  })
})
