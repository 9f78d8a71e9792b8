import { describe, expect, it } from 'vitest'
import { readyPods } from '../../../controllers/node-lifecycle/testkit.ts'
import { Node, NodeClaim, NodePool, Pod } from '../../../kube/kinds.ts'
import { seconds } from '../../../world/time.ts'
import type { MachineShape } from '../machines.ts'
import { alive, pool, scale, setup } from './testkit.ts'

describe('Karpenter disrupts', () => {
  const ready = (c: ReturnType<typeof setup>, replicas: number, gpus: number, spec: object = {}) => {
    c.deploy(replicas, gpus, spec)
    c.at(400)
    expect(readyPods(c.pods())).toHaveLength(replicas)
  }

  it('empty nodes after they have been so for a while, within its budgets', () => {
    const disruption = { consolidationPolicy: 'WhenEmpty' as const, consolidateAfter: '2m' }
    const c = setup([pool('gpu', { disruption: { ...disruption, budgets: [{ nodes: '1' }] } })])
    ready(c, 3, 8)
    scale(c, 0)
    c.at(400 + 110)
    expect(c.claims.all.size).toBe(3)
    c.at(400 + 210)
    expect(c.claims.all.size).toBeLessThan(3)
    c.at(400 + 600)
    expect(c.claims.all.size).toBe(0)
    expect(c.store.list(Node)).toHaveLength(1)
    expect(c.running()).toEqual(['node-0'])
  })

  it('nodes little used: for room elsewhere, or for a cheaper one', () => {
    const c = setup([pool('gpu')])
    ready(c, 2, 4)
    expect(c.types()).toEqual(['p5.48xlarge/a/on-demand'])
    scale(c, 1)
    c.at(1200)
    expect(c.types()).toEqual(['p5.24xlarge/a/on-demand'])
    expect(readyPods(alive(c))).toHaveLength(1)
  })

  it('not those that say so, and spot not for spot', () => {
    const keep = setup([pool('gpu')])
    ready(keep, 2, 4)
    for (const pod of keep.pods()) {
      const metadata = { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }
      keep.store.patch(Pod, `default/${pod.metadata.name}`, { metadata }, 'kubectl')
    }
    scale(keep, 1)
    keep.at(1500)
    expect(keep.types()).toEqual(['p5.48xlarge/a/on-demand'])
    const requirements = [{ key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: ['spot'] }]
    const spot = setup([pool('gpu', { template: { requirements } })])
    ready(spot, 2, 4)
    scale(spot, 1)
    spot.at(1500)
    expect(spot.types()).toEqual(['p5.48xlarge/a/spot'])
  })

  it('nodes that are too old, whatever runs on them; their pods come back on new ones', () => {
    const c = setup([pool('gpu', { template: { expireAfter: '20m' } })])
    ready(c, 1, 8)
    const [first] = [...c.claims.all.keys()]
    c.at(20 * 60 - 30)
    expect(c.store.get(NodeClaim, first!).metadata.deletionTimestamp).toBeUndefined()
    c.at(20 * 60 + 600)
    expect([...c.claims.all.keys()]).not.toContain(first)
    expect(readyPods(alive(c))).toHaveLength(1)
  })

  it('a pod that loads, for a cheaper node, unless it says so; with a duration for that long', () => {
    const requirements = [{ key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: ['on-demand', 'spot'] }]
    const run = (annotation?: string) => {
      let spot = false
      const capacity = ({ labels }: MachineShape) => spot || labels?.['karpenter.sh/capacity-type'] === 'on-demand'
      const c = setup([pool('gpu', { template: { requirements } })], { capacity })
      c.deploy(1, 8)
      c.at(350)
      expect(c.types()).toEqual(['p5.48xlarge/a/on-demand'])
      const [pod] = alive(c)
      const metadata = { annotations: { 'karpenter.sh/do-not-disrupt': annotation } }
      if (annotation) c.store.patch(Pod, `default/${pod!.metadata.name}`, { metadata }, 'kubectl')
      spot = true
      c.at(900)
      const moved = alive(c)[0]!.metadata.name !== pod!.metadata.name
      c.at(3000)
      return [moved, alive(c)[0]!.metadata.name !== pod!.metadata.name]
    }
    expect(run()).toEqual([true, true])
    expect(run('true')).toEqual([false, false])
    expect(run('20m')).toEqual([false, true])
  })

  it('nodes whose pool was changed, one after another, when their replacements are there', () => {
    const c = setup([pool('gpu')])
    ready(c, 2, 8)
    const before = [...c.claims.all.keys()]
    const labels = { generation: 'new' }
    c.store.patch(NodePool, 'gpu', { spec: { template: { metadata: { labels } } } }, 'kubectl')
    c.at(550)
    expect([...c.claims.all.keys()]).toEqual(expect.arrayContaining(before))
    c.at(2000)
    expect([...c.claims.all.keys()].filter((name) => before.includes(name))).toEqual([])
    expect(c.store.list(Node).filter((node) => node.metadata.labels?.['generation'] === 'new')).toHaveLength(2)
    expect(readyPods(alive(c))).toHaveLength(2)
  })

  it('not while its schedule forbids it', () => {
    const budgets = [{ nodes: '0', schedule: '0 0 * * *', duration: '1h' }, { nodes: '100%' }]
    const c = setup([pool('gpu', { disruption: { consolidateAfter: '30s', budgets } })])
    ready(c, 1, 8)
    scale(c, 0)
    c.at(3500)
    expect(c.claims.all.size).toBe(1)
    c.at(3700)
    expect(c.claims.all.size).toBe(0)
  })

  it('and waits for protected pods, unless their time is up', () => {
    const run = (terminationGracePeriod?: string) => {
      const template = { expireAfter: '10m', ...(terminationGracePeriod ? { terminationGracePeriod } : {}) }
      const c = setup([pool('gpu', { template })])
      ready(c, 1, 8, { terminationGracePeriodSeconds: 60 })
      const [pod] = alive(c)
      const metadata = { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }
      c.store.patch(Pod, `default/${pod!.metadata.name}`, { metadata }, 'kubectl')
      c.at(600 + 550)
      const still = c.pods().some((one) => one.metadata.uid === pod!.metadata.uid && !one.metadata.deletionTimestamp)
      c.at(600 + 700)
      return [still, c.pods().some((one) => one.metadata.uid === pod!.metadata.uid)]
    }
    expect(run()).toEqual([true, true])
    // deleted a minute before the ten are over, in time for its grace period
    expect(run('10m')).toEqual([false, false])
    expect(run('20m')).toEqual([true, true])
  })

  it('nothing where the cloud takes a machine back: it gives it up, buys another sort first, and takes its word', () => {
    const requirements = [{ key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: ['spot'] }]
    const c = setup([pool('gpu', { template: { requirements } })])
    ready(c, 1, 8)
    const [name] = [...c.claims.all.keys()]
    expect(c.claims.interrupt('node-0', 0)).toBe(false)
    expect(c.claims.interrupt(name!, seconds(2))).toBe(true)
    c.at(420)
    expect(c.types()).toEqual(['p5.48xlarge/b/spot'])
    c.at(800)
    expect(readyPods(alive(c))).toHaveLength(1)
  })

  it('claims whose machine is gone', () => {
    const c = setup([pool('gpu')])
    ready(c, 1, 8)
    const [name] = [...c.claims.all.keys()]
    c.park.removeNode(name!)
    c.store.delete(Node, name!, 'kubectl')
    c.at(400 + 500)
    expect([...c.claims.all.keys()]).not.toContain(name)
    expect(readyPods(alive(c))).toHaveLength(1)
  })
})
