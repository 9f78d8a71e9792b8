import { describe, expect, it } from 'vitest'
import type { Node, Pod, PodSpec } from '../../kube/objects.ts'
import { labelSelector } from '../../kube/selectors.ts'
import { feasibleNodesToFind } from '../algorithm.ts'
import { SchedulerCache } from '../cache.ts'
import { container, node, pod } from '../testing.ts'
import type { Listers } from './plugin.ts'
import { defaultPlugins } from './plugins/index.ts'
import { factsOf, podInfo } from './pod-info.ts'
import { scoreNodes } from './runtime.ts'

const noListers: Listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }

/** Weighted scores by plugin, one a node in order. */
function scores(nodes: readonly Node[], running: readonly Pod[], incoming: Pod, listers = noListers) {
  const cache = new SchedulerCache()
  for (const each of nodes) cache.setNode(each)
  for (const each of running) cache.addPod(each)
  const byPlugin: Record<string, number[]> = {}
  const explain = (name: string, weighted: Float64Array) => {
    byPlugin[name] = [...weighted]
  }
  scoreNodes(defaultPlugins(listers), podInfo(incoming), cache.nodes, cache, { explain })
  return byPlugin
}

describe('scores', () => {
  it('favours free nodes: the mean of the free shares after the pod', () => {
    const nodes = [node('a', { cpu: '4', memory: '8Gi' }), node('b', { cpu: '8', memory: '8Gi' })]
    const incoming = pod('new', { cpu: '2', memory: '2Gi' })
    // a: cpu (4-2)/4 = 50, memory 75 → 62; b: 75 and 75
    expect(scores(nodes, [], incoming)['NodeResourcesFit']).toEqual([62, 75])
  })

  it('counts 100m and 200Mi for containers that request nothing', () => {
    const nodes = [node('a', { cpu: '1', memory: '1000Mi' })]
    expect(scores(nodes, [], pod('new'))['NodeResourcesFit']).toEqual([85])
    expect(scores(nodes, [], pod('new'))['NodeResourcesBalancedAllocation']).toBeUndefined()
  })

  it('favours what evens out cpu and memory: 75 is no change', () => {
    const nodes = [node('a', { cpu: '10', memory: '10Gi' }), node('b', { cpu: '10', memory: '10Gi' })]
    const lopsided = pod('old', { cpu: '5', node: 'b' })
    const incoming = pod('new', { memory: '5Gi' })
    // a: even (100) becomes |0 - 0.5|/2 (75): 50 + (50 + 75 - 100)/2; b: 75 becomes 100
    expect(scores(nodes, [lopsided], incoming)['NodeResourcesBalancedAllocation']).toEqual([62, 87])
  })

  it('turns away from untolerated PreferNoSchedule taints, three times over', () => {
    const soft = { key: 'soft', effect: 'PreferNoSchedule' as const }
    const nodes = [node('a'), node('b', { taints: [soft] }), node('c', { taints: [soft, { ...soft, key: 'softer' }] })]
    expect(scores(nodes, [], pod('new'))['TaintToleration']).toEqual([300, 150, 0])
  })

  it('adds up preferred node affinity', () => {
    const preferred = (weight: number, key: string) => ({
      weight,
      preference: { matchExpressions: [{ key, operator: 'Exists' as const }] },
    })
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [preferred(30, 'x'), preferred(10, 'y')] }
    const nodes = [node('a', { labels: { x: '' } }), node('b', { labels: { y: '' } }), node('c')]
    expect(scores(nodes, [], pod('new', { spec: { affinity: { nodeAffinity } } }))['NodeAffinity']).toEqual([
      200, 66, 0,
    ])
  })

  it('favours nodes that have the image', () => {
    const images = [{ names: ['vllm/vllm-openai:v0.32.0'], sizeBytes: 9e9 }]
    // 9 GB on one of two nodes counts 4.5 GB: more than the 1000 MiB that give 100
    expect(scores([node('a', { images }), node('b')], [], pod('new'))['ImageLocality']).toEqual([100, 0])
  })

  it('spreads pods of one controller over hosts and zones by default', () => {
    const listers = { ...noListers, controllerSelector: () => labelSelector({ matchLabels: { app: 'vllm' } }) }
    const nodes = [node('a', { zone: 'z1' }), node('b', { zone: 'z1' }), node('c', { zone: 'z2' })]
    const running = [pod('one', { node: 'a' }), pod('two', { node: 'a' })]
    // zones take turns: a, c, b. hosts: count × ln(3+2) + 2; zones: count × ln(2+2) + 4; together 12, 6, 9;
    // then 100 × (12 + 6 - s) / 12, doubled
    expect(scores(nodes, running, pod('new'), listers)['PodTopologySpread']).toEqual([100, 200, 150])
  })

  it('follows preferred pod affinity and flees preferred anti-affinity', () => {
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'vllm' } } }
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: term }] }
    const nodes = [node('a'), node('b')]
    const running = [pod('old', { node: 'a' })]
    const scoresWith = (affinity: PodSpec['affinity']) =>
      scores(nodes, running, pod('new', { spec: { affinity } }))['InterPodAffinity']
    expect(scoresWith({ podAffinity: preferred })).toEqual([200, 0])
    expect(scoresWith({ podAntiAffinity: preferred })).toEqual([0, 200])
    expect(scoresWith(undefined)).toBeUndefined()
  })

  it('looks for fewer nodes the more there are', () => {
    expect([5, 99, 100, 250, 1000, 5000, 6000].map((nodes) => feasibleNodesToFind(nodes))).toEqual([
      5, 99, 100, 120, 420, 500, 300,
    ])
  })
})

describe('requests', () => {
  const facts = (spec: Partial<PodSpec>) => factsOf(pod('new', { spec }).spec)

  it('takes the larger of init containers and containers, with sidecars counted in both', () => {
    const { requests } = facts({
      containers: [container('a', { cpu: '1', memory: '1Gi' }), container('b', { cpu: '500m' })],
      initContainers: [
        container('early', { cpu: '3' }),
        { ...container('sidecar', { cpu: '200m', memory: '1Gi' }), restartPolicy: 'Always' },
        container('late', { cpu: '2', memory: '2Gi' }),
      ],
      overhead: { cpu: '100m' },
    })
    // cpu: max(1.5 + 0.2, 3, 0.2, 2.2) + 0.1; memory: max(2Gi, 1Gi, 3Gi)
    expect([requests.milliCpu, requests.memoryBytes]).toEqual([3100, 3 * 2 ** 30])
  })

  it('takes requests of the pod in place of its containers', () => {
    const { requests, nonZeroMilliCpu, nonZeroMemoryBytes } = facts({
      containers: [container('a', { cpu: '1' }), container('b')],
      resources: { requests: { cpu: '4' } },
    })
    expect([requests.milliCpu, nonZeroMilliCpu, nonZeroMemoryBytes]).toEqual([4000, 4000, 2 * 200 * 2 ** 20])
  })

  it('counts nothing it does not schedule by', () => {
    const { requests } = facts({ containers: [container('a', { 'nvidia.com/gpu': '1', nonsense: '3' })] })
    expect([...requests.scalars]).toEqual([['nvidia.com/gpu', 1]])
  })
})
