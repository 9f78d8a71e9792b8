import { describe, expect, it } from 'vitest'
import { H100, nodeCluster } from '../../../controllers/node-lifecycle/testkit.ts'
import { PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Node, Pod } from '../../../kube/objects.ts'
import { templateNode } from '../machines.ts'
import { gpuShape } from '../testkit.ts'
import { defaultFlags } from './options.ts'
import { blocking, utilization } from './scale-down.ts'

const pod = (
  name: string,
  { owner = 'ReplicaSet', namespace = 'default', annotations = {}, requests = {}, volumes = [] as object[] } = {},
) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: name,
      annotations,
      labels: { app: name },
      ...(owner ? { ownerReferences: [{ kind: owner, name: owner, uid: owner, controller: true }] } : {}),
    },
    spec: { containers: [{ name: 'a', image: 'x', resources: { requests } }], volumes },
    status: { phase: 'Running' },
  }) as unknown as Pod

describe('how much of a node is used', () => {
  const flags = { gpuLabel: 'accelerator', ignoreDaemonsetsUtilization: false }
  const gpus = templateNode('g', { ...gpuShape(8), labels: { accelerator: 'h100' } })

  it('counts GPUs alone where there are any', () => {
    const pods = [pod('a', { requests: { 'nvidia.com/gpu': '2', cpu: '190' } })]
    expect(utilization(gpus, pods, flags)).toEqual({ share: 0.25, ofGpus: true })
  })

  it('is nothing where GPUs should be and are not', () => {
    const { 'nvidia.com/gpu': _, ...allocatable } = gpus.status.allocatable
    const sick = { ...gpus, status: { ...gpus.status, allocatable } } as Node
    expect(utilization(sick, [pod('a', { requests: { cpu: '190' } })], flags)).toEqual({ share: 0, ofGpus: true })
  })

  it('counts the larger of cpu and memory elsewhere, with DaemonSets unless they are left out', () => {
    const node = templateNode('c', { cpu: '10', memory: '10100Mi' })
    const pods = [
      pod('a', { requests: { cpu: '3', memory: '1000Mi' } }),
      pod('d', { owner: 'DaemonSet', requests: { cpu: '2' } }),
    ]
    expect(utilization(node, pods, flags)).toEqual({ share: 0.5, ofGpus: false })
    expect(utilization(node, pods, { ...flags, ignoreDaemonsetsUtilization: true }).share).toBeCloseTo(3 / 8)
  })
})

describe('what keeps a node', () => {
  const c = nodeCluster({ nodes: 1, node: () => ({ gpu: { ...H100, count: 1 } }) })
  const budget = (name: string, minAvailable: number) =>
    c.store.create(
      PodDisruptionBudget,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace: 'default' },
        spec: { minAvailable, selector: { matchLabels: { app: 'kept' } } },
      } as never,
      'kubectl',
    )
  budget('first', 0)
  budget('second', 5)
  const kube = c.kube('cluster-autoscaler')
  kube.list(PodDisruptionBudget)
  c.at(5)
  const why = (one: Pod) => blocking([one], { kube, flags: defaultFlags })
  const safe = (value: string) => ({ 'cluster-autoscaler.kubernetes.io/safe-to-evict': value })
  const volumes = [{ name: 'v', emptyDir: {} }]

  const cases: [string, Pod, string | undefined][] = [
    ['nothing', pod('a'), undefined],
    ['a pod without a controller', pod('a', { owner: '' }), 'default/a is not replicated'],
    ['a pod of a controller nobody knows', pod('a', { owner: 'LeaderWorkerSet' }), 'default/a is not replicated'],
    [
      'a system pod',
      pod('a', { namespace: 'kube-system' }),
      'non-daemonset, non-mirrored, non-pdb-assigned kube-system pod present: a',
    ],
    ['an annotation', pod('a', { annotations: safe('false') }), 'pod annotated as not safe to evict present: a'],
    ['a local volume', pod('a', { volumes }), 'pod with local storage present: a'],
    [
      'a local volume that is safe',
      pod('a', { volumes, annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': 'x, v' } }),
      undefined,
    ],
    ['memory', pod('a', { volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }] }), undefined],
    ['any of its budgets', pod('kept'), 'not enough pod disruption budget to move default/kept'],
    ['nothing, where it is safe to evict', pod('kept', { owner: '', volumes, annotations: safe('true') }), undefined],
  ]
  it.each(cases)('%s', (_, one, expected) => expect(why(one)).toBe(expected))
})
