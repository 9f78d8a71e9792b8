import { expect, it } from 'vitest'
import { Deployment as DeploymentKind, Node, NodePool, Pod } from '../../kube/kinds.ts'
import { defaultProfile } from '../../kube/lag.ts'
import type { Deployment, Draft } from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import { plainProgram } from '../../nodes/plain-program.ts'
import { minutes, seconds } from '../../world/time.ts'
import { sim } from './sim.ts'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'chat' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'chat' } },
    template: {
      metadata: { labels: { app: 'chat' } },
      spec: { containers: [{ name: 'a', image: 'a:1', resources: { limits: { 'nvidia.com/gpu': '1' } } }] },
    },
  },
} as unknown as Draft<Deployment>

it('a group with room to grow gets nodes for pods that fit nowhere, after the cloud and the device plugin took their time', async () => {
  const plain = plainProgram()
  const products: (string | undefined)[] = []
  const gpu = { product: 'NVIDIA-L4', memoryBytes: 24e9, count: 1 }
  const sandbox = await sim.up({
    seed: 1,
    nodes: [{ name: 'gpu', count: 1, cpu: '16', memory: '64Gi', gpu }],
    nodeAutoscaler: {
      kind: 'cluster-autoscaler',
      groups: [{ name: 'gpu', min: 1, max: 2 }],
      delays: { register: seconds(90), devicePlugin: seconds(60), refusal: seconds(5) },
    },
    programFor: (_pod, _container, on) => {
      products.push(on?.gpuProduct)
      return plain
    },
    imageBytes: () => 1e8,
    registryBytesPerSecond: 1e9,
    lag: defaultProfile,
  })
  await sandbox.run('kubectl', sandbox.kube.create(DeploymentKind, deployment))
  const ready = () => sandbox.kube.list(Pod).filter(isReady).length
  sandbox.kube.list(Node)
  await sandbox.runUntil(minutes(2))
  expect(ready()).toBe(1)
  await sandbox.runUntil(minutes(6))
  // three are wanted, and two nodes of one GPU are the most
  expect(sandbox.kube.list(Node)).toHaveLength(2)
  expect(ready()).toBe(2)
  expect(products).toEqual(['NVIDIA-L4', 'NVIDIA-L4'])
})

it('a new node, bought or there at the start, is not ready for pods until the node lifecycle controller has seen it', async () => {
  const plain = plainProgram()
  const gpu = { product: 'NVIDIA-L4', memoryBytes: 24e9, count: 1 }
  const sandbox = await sim.up({
    seed: 1,
    nodes: [{ name: 'gpu', count: 1, cpu: '16', memory: '64Gi', gpu }],
    nodeAutoscaler: {
      kind: 'cluster-autoscaler',
      groups: [{ name: 'gpu', min: 1, max: 2 }],
      delays: { register: seconds(10), devicePlugin: seconds(10), refusal: seconds(5) },
    },
    programFor: () => plain,
    imageBytes: () => 1e8,
    registryBytesPerSecond: 1e9,
    lag: defaultProfile,
  })
  await sandbox.run('kubectl', sandbox.kube.create(DeploymentKind, deployment))
  await sandbox.runUntil(minutes(4))
  const taints = new Map<string, string[]>()
  for (const record of sandbox.world.journal.records) {
    if (record.type !== 'object' || record.kind !== 'nodes' || record.verb === 'DELETED') continue
    const { spec } = record.value as { spec?: { taints?: { key: string; effect: string }[] | null } }
    if (record.verb === 'MODIFIED' && spec?.taints === undefined) continue
    const text = (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).join() || 'none'
    taints.set(record.key, [...(taints.get(record.key) ?? []), `${text} by ${record.by.split('/')[0]}`])
  }
  const course = ['node.kubernetes.io/not-ready:NoSchedule by kubelet', 'none by kube-controller-manager']
  expect([...taints.values()].map((ofNode) => ofNode.slice(0, 2))).toEqual([course, course])
})

it('a cloud that has none sells when it has some again', async () => {
  const plain = plainProgram()
  const offerings = [{ zone: 'a', capacityType: 'on-demand' as const, pricePerHour: 1 }]
  const gpu = { product: 'NVIDIA-L4', memoryBytes: 24e9, count: 4 }
  const sandbox = await sim.up({
    seed: 1,
    nodes: [{ name: 'system', count: 1, cpu: '4', memory: '16Gi' }],
    karpenter: {
      catalogue: [{ name: 'g6.12xlarge', shape: { cpu: '48', memory: '180Gi', gpu }, offerings }],
      delays: { register: seconds(60), devicePlugin: seconds(30), refusal: seconds(5) },
      noCapacity: ['other/a'],
    },
    programFor: () => plain,
    imageBytes: () => 1e8,
    registryBytesPerSecond: 1e9,
    lag: defaultProfile,
  })
  const soldOut = sandbox.levers['cloud.capacity']!('g6.12xlarge/*/on-demand')
  const template = { spec: { requirements: [], expireAfter: 'Never' } }
  const pool = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'gpu' }, spec: { template } }
  await sandbox.run('kubectl', sandbox.kube.create(NodePool, pool as never))
  await sandbox.run('kubectl', sandbox.kube.create(DeploymentKind, deployment))
  const ready = () => sandbox.kube.list(Pod).filter(isReady).length
  await sandbox.runUntil(minutes(5))
  expect(ready()).toBe(0)
  soldOut()
  await sandbox.runUntil(minutes(12))
  expect(ready()).toBe(3)
})
