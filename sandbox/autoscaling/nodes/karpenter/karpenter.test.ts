import { describe, expect, it } from 'vitest'
import { readyPods, taintsOf } from '../../../controllers/node-lifecycle/testkit.ts'
import { Deployment, Node, NodeClaim, NodePool, Pod } from '../../../kube/kinds.ts'
import type * as o from '../../../kube/objects.ts'
import { isFinished } from '../../../kube/pods.ts'
import { seconds } from '../../../world/time.ts'
import type { MachineShape, ProvisioningDelays } from '../machines.ts'
import { elasticCluster, gpuShape } from '../testkit.ts'
import type { InstanceType, Offering } from './candidates.ts'
import { runKarpenter } from './karpenter.ts'

const offerings = (pricePerHour: number, zones = ['a', 'b']): Offering[] =>
  zones.flatMap((zone) => [
    { zone, capacityType: 'on-demand' as const, pricePerHour },
    { zone, capacityType: 'spot' as const, pricePerHour: pricePerHour * 0.4 },
  ])

const type = (name: string, gpus: number, price: number): InstanceType => {
  const { cpu, memory, gpu } = gpuShape(gpus)
  return { name, shape: { cpu, memory, ...(gpu ? { gpu } : {}) }, offerings: offerings(price) }
}

const catalogue: readonly InstanceType[] = [
  type('p5.48xlarge', 8, 98),
  type('p5.24xlarge', 4, 52),
  type('p5.4xlarge', 1, 14),
]

type PoolSpec = Partial<Omit<o.NodePool['spec'], 'template'>> & { template?: Partial<o.NodeClaimSpec> }

const pool = (name: string, { template, ...spec }: PoolSpec = {}): o.NodePool =>
  ({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: {
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '30s',
        budgets: [{ nodes: '100%' }],
      },
      ...spec,
      template: {
        spec: {
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          expireAfter: 'Never',
          ...template,
        },
      },
    },
  }) as unknown as o.NodePool

function setup(
  pools: readonly o.NodePool[],
  options: { capacity?: (shape: MachineShape) => boolean; delays?: ProvisioningDelays } = {},
) {
  const { delays, ...rest } = options
  const c = elasticCluster(rest)
  for (const p of pools) c.store.create(NodePool, p, 'kubectl')
  const kube = c.kube('karpenter')
  const claims = runKarpenter({ world: c.world, kube, park: c.park, catalogue, ...(delays ? { delays } : {}) })
  return { ...c, claims, types: () => [...claims.all.values()].map(({ candidate }) => candidate.key).sort() }
}

const alive = (c: ReturnType<typeof setup>) =>
  c.pods().filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)

const scale = (c: ReturnType<typeof setup>, replicas: number) =>
  c.store.patch(Deployment, 'default/web', { spec: { replicas } }, 'kubectl')

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
