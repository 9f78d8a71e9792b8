import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../kube/objects.ts'
import { SchedulerCache } from '../cache.ts'
import type { Listers } from '../framework/plugin.ts'
import { podInfo } from '../framework/pod-info.ts'
import { preFilter, runFilters, scoreNodes } from '../framework/runtime.ts'
import { node, pod } from '../testing.ts'
import { parseSchedulerConfiguration } from './configuration.ts'
import { pluginsOf } from './profile-plugins.ts'

const HEAD = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }
const listers: Listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }

const profileOf = (profile: object) => parseSchedulerConfiguration({ ...HEAD, profiles: [profile] }).profiles[0]!
const withArgs = (name: string, args: object) => profileOf({ pluginConfig: [{ name, args }] })

function cacheOf(nodes: readonly Node[], running: readonly Pod[]): SchedulerCache {
  const cache = new SchedulerCache()
  for (const each of nodes) cache.setNode(each)
  for (const each of running) cache.addPod(each)
  return cache
}

/** One plugin's weighted scores, one a node. */
function scores(profile: ReturnType<typeof profileOf>, plugin: string, nodes: Node[], running: Pod[], incoming: Pod) {
  const cache = cacheOf(nodes, running)
  let found: number[] | undefined
  const explain = (name: string, weighted: Float64Array) => {
    if (name === plugin) found = [...weighted]
  }
  scoreNodes(pluginsOf(profile, listers), podInfo(incoming), cache.nodes, cache, { explain })
  return found
}

/** Why each node is rejected. */
function rejections(profile: ReturnType<typeof profileOf>, nodes: Node[], running: Pod[], incoming: Pod) {
  const cache = cacheOf(nodes, running)
  const info = podInfo(incoming)
  const { filters } = preFilter(pluginsOf(profile, listers), info, cache)
  return cache.nodes.map((each) => runFilters(filters, info, each)?.reasons.join())
}

describe('scoring strategies', () => {
  const two = [node('a', { cpu: '4', memory: '10000' }), node('b', { cpu: '6', memory: '10000' })]
  const asking = pod('new', { cpu: '3', memory: '5000' })
  const strategy = (scoringStrategy: object) => withArgs('NodeResourcesFit', { scoringStrategy })
  const ranks = (scoringStrategy: object, nodes: Node[], running: Pod[], incoming: Pod) =>
    scores(strategy(scoringStrategy), 'NodeResourcesFit', nodes, running, incoming)

  it('favour the fullest node, or the freest', () => {
    expect(ranks({ type: 'MostAllocated' }, two, [], asking)).toEqual([62, 50])
    expect(ranks({ type: 'LeastAllocated' }, two, [], asking)).toEqual([37, 50])
  })

  it('weigh resources: devices count only for pods that ask for them', () => {
    const nodes = [
      node('a', { gpus: 8, cpu: '10', memory: '100Gi' }),
      node('b', { gpus: 8, cpu: '10', memory: '100Gi' }),
    ]
    const running = [pod('r', { node: 'a', gpus: 4, cpu: '0', memory: '0' })]
    const resources = [
      { name: 'nvidia.com/gpu', weight: 3 },
      { name: 'cpu', weight: 1 },
    ]
    const incoming = pod('new', { gpus: 2, cpu: '5', memory: '1Gi' })
    // a: (75·3 + 50) / 4, b: (25·3 + 50) / 4
    expect(ranks({ type: 'MostAllocated', resources }, nodes, running, incoming)).toEqual([68, 31])
    expect(ranks({ type: 'MostAllocated', resources }, nodes, running, pod('new', { cpu: '5' }))).toEqual([50, 50])
  })

  it('follow a shape', () => {
    const falling = [
      { utilization: 0, score: 10 },
      { utilization: 100, score: 0 },
    ]
    const ratio = (shape: object, resources?: object) => ({
      type: 'RequestedToCapacityRatio',
      requestedToCapacityRatio: { shape },
      ...(resources && { resources }),
    })
    expect(ranks(ratio(falling), two, [], asking)).toEqual([38, 50])
    const packing = [
      { utilization: 0, score: 0 },
      { utilization: 50, score: 2 },
      { utilization: 100, score: 10 },
    ]
    const nodes = [node('a', { gpus: 8 }), node('b', { gpus: 8 }), node('c', { gpus: 8 })]
    const running = [pod('r', { node: 'a', gpus: 6 }), pod('s', { node: 'b', gpus: 2 })]
    const gpus = [{ name: 'nvidia.com/gpu', weight: 1 }]
    expect(ranks(ratio(packing, gpus), nodes, running, pod('new', { gpus: 2 }))).toEqual([100, 20, 10])
  })

  it('balance the resources asked for', () => {
    const profile = withArgs('NodeResourcesBalancedAllocation', {
      resources: [{ name: 'cpu' }, { name: 'memory' }, { name: 'nvidia.com/gpu' }],
    })
    const nodes = [node('a', { gpus: 4, cpu: '10', memory: '100' }), node('b', { gpus: 8, cpu: '10', memory: '100' })]
    const incoming = pod('new', { gpus: 4, cpu: '5', memory: '50' })
    // a: shares 0.5, 0.5, 1 deviate by 0.2357; b: all 0.5
    expect(scores(profile, 'NodeResourcesBalancedAllocation', nodes, [], incoming)).toEqual([63, 75])
  })
})

describe('arguments of plugins', () => {
  it('leave devices unchecked that something else schedules', () => {
    const incoming = pod('new', { gpus: 4 })
    expect(rejections(withArgs('NodeResourcesFit', {}), [node('a')], [], incoming)).toEqual([
      'Insufficient nvidia.com/gpu',
    ])
    for (const args of [{ ignoredResources: ['nvidia.com/gpu'] }, { ignoredResourceGroups: ['nvidia.com'] }])
      expect(rejections(withArgs('NodeResourcesFit', args), [node('a')], [], incoming)).toEqual([undefined])
  })

  it('add an affinity to every pod', () => {
    const term = { matchExpressions: [{ key: 'pool', operator: 'In', values: ['gpu'] }] }
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
    const nodes = [node('a', { labels: { pool: 'gpu' } }), node('b', { labels: { pool: 'cpu' } })]
    expect(rejections(withArgs('NodeAffinity', { addedAffinity: required }), nodes, [], pod('new'))).toEqual([
      undefined,
      "node(s) didn't match scheduler-enforced node affinity",
    ])
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: term }] }
    const profile = withArgs('NodeAffinity', { addedAffinity: preferred })
    expect(scores(profile, 'NodeAffinity', nodes, [], pod('new'))).toEqual([200, 0])
  })

  it('spread pods that ask for nothing by constraints of the cluster', () => {
    const zoned = [node('a', { zone: 'x' }), node('b', { zone: 'y' }), node('c', { labels: {} })]
    const constraint = { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' }
    const profile = withArgs('PodTopologySpread', { defaultingType: 'List', defaultConstraints: [constraint] })
    const service = { spec: { selector: { app: 'vllm' } } } as never
    const cache = cacheOf(zoned, [pod('r', { node: 'a' })])
    const info = podInfo(pod('new'))
    const { filters } = preFilter(pluginsOf(profile, { ...listers, services: () => [service] }), info, cache)
    expect(new Map(cache.nodes.map((each) => [each.name, runFilters(filters, info, each)?.reasons.join()]))).toEqual(
      new Map([
        ['a', "node(s) didn't match pod topology spread constraints"],
        ['b', undefined],
        ['c', "node(s) didn't match pod topology spread constraints (missing required label)"],
      ]),
    )
  })

  it('weigh what others require, or close the ears to what they prefer', () => {
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'vllm' } } }
    const wanting = (affinity: object) => pod('r', { node: 'a', spec: { affinity: { podAffinity: affinity } } })
    const nodes = [node('a'), node('b')]
    const required = wanting({ requiredDuringSchedulingIgnoredDuringExecution: [term] })
    const score = (args: object, running: Pod) =>
      scores(withArgs('InterPodAffinity', args), 'InterPodAffinity', nodes, [running], pod('new'))
    expect(score({}, required)).toEqual([200, 0])
    expect(score({ hardPodAffinityWeight: 0 }, required)).toBeUndefined()
    const preferred = wanting({
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term }],
    })
    expect(score({ ignorePreferredTermsOfExistingPods: true }, preferred)).toBeUndefined()
  })
})
