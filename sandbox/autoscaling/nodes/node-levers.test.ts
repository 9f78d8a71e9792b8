import { describe, expect, it } from 'vitest'
import { H100, nodeCluster, readyPods } from '../../controllers/node-lifecycle/testkit.ts'
import { defaultProfile } from '../../kube/lag.ts'
import { seconds } from '../../world/time.ts'
import { nodeLevers } from './node-levers.ts'

const setup = (seed = 1) => {
  const node = () => ({ gpu: { ...H100, count: 2 } })
  const bootTimings = { kubelet: seconds(30), devicePlugin: seconds(20) }
  const c = nodeCluster({ nodes: 3, seed, profile: defaultProfile, node, options: { bootTimings } })
  c.deploy(3, 1)
  c.at(60)
  const nodes = new Map(c.nodes.map((n) => [n.name, n]))
  return { ...c, levers: nodeLevers({ world: c.world, nodes, kubeOf: c.kube }) }
}

describe('the levers of nodes', () => {
  it('do what they say and undo it', () => {
    const c = setup()
    const on = c.levers['node.power']('node-0')
    expect(c.nodes[0]!.power).toBe('off')
    on()
    const heal = c.levers['node.network']('node-1')
    expect(c.nodes[1]!.connected).toBe(false)
    heal()
    expect(c.nodes[1]!.connected).toBe(true)
    const mend = c.levers['gpu.health']('node-2', 0, { xid: 94 })
    c.at(75)
    expect(c.node(2).status.allocatable['nvidia.com/gpu']).toBe('1')
    mend()
    c.levers['node.reclaim']('node-1', seconds(30))()
    c.at(110)
    expect(c.nodes[0]!.power).toBe('on')
    expect(c.nodes[1]!.power).toBe('gone')
    expect(c.node(2).status.allocatable['nvidia.com/gpu']).toBe('2')
    c.at(800)
    expect(readyPods(c.pods())).toHaveLength(3)
  })

  it('refuse what is not there', () => {
    const { levers } = setup()
    expect(() => levers['node.power']('other')).toThrow('no node other; there are node-0, node-1, node-2')
    expect(() => levers['gpu.health']('node-0', 2, { xid: 79 })).toThrow('node-0 has no GPU 2: it has 2')
  })

  it('leave the same record for the same seed', () => {
    const record = (seed: number) => {
      const c = setup(seed)
      const on = c.levers['node.power']('node-0')
      const heal = c.levers['node.network']('node-1')
      c.at(200)
      on()
      c.levers['gpu.health']('node-2', 1, { xid: 79 })
      c.at(400)
      heal()
      c.at(1000)
      return JSON.stringify(c.world.journal.records)
    }
    expect(record(7)).toBe(record(7))
    expect(record(7)).not.toBe(record(8))
  })
})
