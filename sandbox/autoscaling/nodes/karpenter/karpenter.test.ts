import { describe, expect, it } from 'vitest'
import { readyPods, taintsOf } from '../../../controllers/node-lifecycle/testkit.ts'
import { Node, NodeClaim } from '../../../kube/kinds.ts'
import { seconds } from '../../../world/time.ts'
import { pool, setup } from './testkit.ts'

describe('Karpenter provisions', () => {
  it('the cheapest instances that hold the waiting pods, once, and runs them when the GPUs are there', () => {
    const c = setup([pool('gpu')])
    c.deploy(3, 4)
    c.at(30)
    expect(c.types()).toEqual(['p5.24xlarge/a/on-demand', 'p5.48xlarge/a/on-demand'])
    expect(c.events('Nominated')).toHaveLength(3)
    c.at(140)
    const claim = c.store.list(NodeClaim)[0]!
    expect(claim.status?.conditions?.map((k) => k.type)).toEqual(['Launched', 'Registered'])
    expect(readyPods(c.pods())).toEqual([])
    c.at(300)
    expect(c.claims.all.size).toBe(2)
    expect(readyPods(c.pods())).toHaveLength(3)
    expect(c.store.list(NodeClaim)[0]!.status?.conditions?.map((k) => k.type)).toContain('Initialized')
    expect(c.store.get(Node, claim.metadata.name).metadata.labels).toMatchObject({
      'karpenter.sh/nodepool': 'gpu',
      'karpenter.sh/capacity-type': 'on-demand',
      'karpenter.sh/initialized': 'true',
    })
  })

  it('by weight, requirements, taints and limits', () => {
    const spot = [{ key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: ['spot'] }]
    const both = setup([pool('usual'), pool('first', { weight: 10, template: { requirements: spot } })])
    both.deploy(1, 8)
    both.at(30)
    expect(both.types()).toEqual(['p5.48xlarge/a/spot'])
    const tainted = setup([pool('gpu', { template: { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] } })])
    tainted.deploy(1, 8)
    tainted.at(60)
    expect(tainted.types()).toEqual([])
    expect(tainted.events('FailedScheduling').some((e) => e.by === 'karpenter')).toBe(true)
    const limited = setup([pool('gpu', { limits: { 'nvidia.com/gpu': '16' } })])
    limited.deploy(4, 8)
    limited.at(400)
    expect(limited.types()).toHaveLength(2)
    expect(readyPods(limited.pods())).toHaveLength(2)
  })

  it('elsewhere when a zone has none, and tries again when nobody has', () => {
    const other = setup([pool('gpu')], { capacity: ({ zone }) => zone === 'b' })
    other.deploy(1, 8)
    other.at(300)
    expect(other.types()).toEqual(['p5.48xlarge/b/on-demand'])
    let has = false
    const none = setup([pool('gpu')], { capacity: () => has })
    none.deploy(1, 8)
    none.at(120)
    expect(none.events('InsufficientCapacityError')).toHaveLength(1)
    expect(none.store.list(NodeClaim)).toEqual([])
    has = true
    none.at(180)
    expect(none.types()).toEqual([])
    none.at(600)
    expect(readyPods(none.pods())).toHaveLength(1)
  })

  it('anew when a machine does not register in fifteen minutes', () => {
    const delays = { register: seconds(1e5), devicePlugin: 0, refusal: 0 }
    const c = setup([pool('gpu')], { delays })
    c.deploy(1, 8)
    c.at(15 * 60)
    const first = [...c.claims.all.keys()]
    c.at(16 * 60)
    expect([...c.claims.all.keys()]).not.toEqual(first)
    expect(c.claims.all.size).toBe(1)
  })

  it('with startup taints that are gone when the node is of use', () => {
    const c = setup([pool('gpu', { template: { startupTaints: [{ key: 'agent/not-ready', effect: 'NoSchedule' }] } })])
    c.deploy(1, 8)
    c.at(120)
    const [name] = [...c.claims.all.keys()]
    expect(taintsOf(c.store.get(Node, name!))).toContain('NoSchedule agent/not-ready')
    c.at(400)
    expect(readyPods(c.pods())).toHaveLength(1)
    expect(c.claims.all.size).toBe(1)
  })
})

describe('new nodes', () => {
  it('are apart where pods ask to be', () => {
    const term = (topologyKey: string) => ({ labelSelector: { matchLabels: { app: 'web' } }, topologyKey })
    const apart = (topologyKey: string) => ({
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(topologyKey)] } },
    })
    const together = setup([pool('gpu')])
    together.deploy(2, 1)
    together.at(60)
    expect(together.claims.all.size).toBe(1)
    const hosts = setup([pool('gpu')])
    hosts.deploy(2, 1, apart('kubernetes.io/hostname') as never)
    hosts.at(60)
    expect(hosts.claims.all.size).toBe(2)
    const zones = setup([pool('gpu')])
    zones.deploy(3, 1, apart('topology.kubernetes.io/zone') as never)
    zones.at(60)
    expect(zones.types().map((key) => key.split('/')[1])).toEqual(['a', 'b'])
  })
})
