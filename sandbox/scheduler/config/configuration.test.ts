import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Node, Pod } from '../../kube/objects.ts'
import { seconds } from '../../world/time.ts'
import { SchedulerCache } from '../cache.ts'
import type { Listers } from '../framework/plugin.ts'
import { defaultPlugins } from '../framework/plugins/index.ts'
import { podInfo } from '../framework/pod-info.ts'
import { preFilter, runFilters, scoreNodes } from '../framework/runtime.ts'
import { node, pod } from '../testing.ts'
import { parseSchedulerConfiguration, SchedulerConfigurationError } from './configuration.ts'
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
  scoreNodes(pluginsOf(profile, listers), podInfo(incoming), cache.nodes, cache, (name, weighted) => {
    if (name === plugin) found = [...weighted]
  })
  return found
}

/** Why each node is rejected. */
function rejections(profile: ReturnType<typeof profileOf>, nodes: Node[], running: Pod[], incoming: Pod) {
  const cache = cacheOf(nodes, running)
  const info = podInfo(incoming)
  const { filters } = preFilter(pluginsOf(profile, listers), info, cache)
  return cache.nodes.map((each) => runFilters(filters, info, each)?.reasons.join())
}

function problems(value: unknown): readonly string[] {
  try {
    parseSchedulerConfiguration(value)
  } catch (error) {
    if (error instanceof SchedulerConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('a configuration', () => {
  it('that says nothing is the default profile', () => {
    const { profiles, podBackoff } = parseSchedulerConfiguration(HEAD)
    expect(podBackoff).toEqual({ initial: seconds(1), max: seconds(10) })
    expect(profiles).toHaveLength(1)
    expect(profiles[0]).toMatchObject({ schedulerName: 'default-scheduler', preempts: true, args: {} })
    const made = pluginsOf(profiles[0]!, listers)
    const usual = defaultPlugins(listers)
    const shown = (list: typeof usual) =>
      list.map(({ name, weight, filter, score }) => [name, score ? weight : 1, Boolean(filter), Boolean(score)])
    expect(shown(made)).toEqual(shown(usual))
    expect(made[5]!.filter).toBe(usual[5]!.filter)
  })

  it('may have several profiles, with weights and plugins of their own', () => {
    const text = `
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: KubeSchedulerConfiguration
      podMaxBackoffSeconds: 60
      leaderElection: { leaderElect: true }
      profiles:
        - schedulerName: default-scheduler
        - schedulerName: packing
          percentageOfNodesToScore: 70
          plugins:
            score:
              disabled: [{ name: PodTopologySpread }]
              enabled: [{ name: NodeResourcesFit, weight: 5 }]
            filter: { disabled: [{ name: NodePorts }] }
            postFilter: { disabled: [{ name: '*' }] }
          pluginConfig:
            - name: NodeResourcesFit
              args: { scoringStrategy: { type: MostAllocated, resources: [{ name: nvidia.com/gpu, weight: 3 }] } }`
    const { profiles, podBackoff } = parseSchedulerConfiguration(parse(text))
    expect(podBackoff.max).toBe(seconds(60))
    const [, packing] = profiles
    expect(packing).toMatchObject({ schedulerName: 'packing', percentageOfNodesToScore: 70, preempts: false })
    const byName = new Map(packing!.plugins.map((plugin) => [plugin.name, plugin]))
    expect(byName.get('NodeResourcesFit')).toMatchObject({ weight: 5, filters: true, scores: true })
    expect(byName.get('PodTopologySpread')).toMatchObject({ filters: true, scores: false })
    expect(byName.has('NodePorts')).toBe(false)
    expect(packing!.args.fit?.scoringStrategy).toEqual({
      type: 'MostAllocated',
      resources: [{ name: 'nvidia.com/gpu', weight: 3 }],
    })
  })

  it('changes plugins at all points by multiPoint', () => {
    const multiPoint = { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit', weight: 4 }] }
    expect(profileOf({ plugins: { multiPoint } }).plugins).toEqual([
      { name: 'NodeResourcesFit', weight: 4, filters: true, scores: true },
    ])
    const again = { enabled: [{ name: 'TaintToleration', weight: 9 }] }
    const { plugins } = profileOf({ plugins: { multiPoint: again } })
    expect(plugins.map(({ name }) => name).indexOf('TaintToleration')).toBe(2)
    expect(plugins[2]!.weight).toBe(9)
  })

  it.each<[string, object, string]>([
    ['another version', { ...HEAD, apiVersion: 'kubescheduler.config.k8s.io/v1beta3' }, 'apiVersion: must be'],
    ['an unknown field', { ...HEAD, profile: [] }, 'Unrecognized key: "profile"'],
    ['extenders', { ...HEAD, extenders: [{ urlPrefix: 'http://x' }] }, 'extenders: HTTP extenders are not modelled'],
    [
      'limits of the client',
      { ...HEAD, clientConnection: { qps: 500 } },
      'clientConnection.qps: set by the lag profile',
    ],
    ['backoffs at odds', { ...HEAD, podInitialBackoffSeconds: 20 }, 'podMaxBackoffSeconds: must be greater'],
    [
      'two profiles of one name',
      { ...HEAD, profiles: [{ schedulerName: 'a' }, { schedulerName: 'a' }] },
      'profiles[1].schedulerName: "a" is given twice',
    ],
    [
      'profiles without names',
      { ...HEAD, profiles: [{}, { schedulerName: 'a' }] },
      'profiles[0].schedulerName: required',
    ],
    [
      'plugins of others',
      { ...HEAD, profiles: [{ plugins: { score: { enabled: [{ name: 'Coscheduling' }] } } }] },
      "profiles[0].plugins.score.enabled[0]: the plugin Coscheduling is not one of kube-scheduler's own",
    ],
    [
      'points that are not modelled',
      { ...HEAD, profiles: [{ plugins: { permit: { enabled: [{ name: 'NodeName' }] } } }] },
      'profiles[0].plugins.permit: this extension point is not modelled',
    ],
    [
      'arguments of others',
      { ...HEAD, profiles: [{ pluginConfig: [{ name: 'Trimaran', args: {} }] }] },
      'profiles[0].pluginConfig[0]: the plugin Trimaran takes no arguments',
    ],
  ])('is refused with %s', (_, value, expected) => {
    expect(problems(value).some((problem) => problem.startsWith(expected))).toBe(true)
  })

  it.each<[string, string, object, string]>([
    ['a strategy', 'NodeResourcesFit', { scoringStrategy: { type: 'Best' } }, 'scoringStrategy.type'],
    [
      'a ratio without a shape',
      'NodeResourcesFit',
      { scoringStrategy: { type: 'RequestedToCapacityRatio' } },
      'scoringStrategy.requestedToCapacityRatio: must be specified when type is RequestedToCapacityRatio',
    ],
    [
      'a shape that falls back',
      'NodeResourcesFit',
      {
        scoringStrategy: {
          type: 'RequestedToCapacityRatio',
          requestedToCapacityRatio: {
            shape: [
              { utilization: 50, score: 1 },
              { utilization: 50, score: 2 },
            ],
          },
        },
      },
      'scoringStrategy.requestedToCapacityRatio.shape: utilization values must be sorted in increasing order',
    ],
    [
      'a weight',
      'NodeResourcesFit',
      { scoringStrategy: { resources: [{ name: 'cpu', weight: 101 }] } },
      'scoringStrategy.resources[0].weight',
    ],
    [
      'a weight of balance',
      'NodeResourcesBalancedAllocation',
      { resources: [{ name: 'cpu', weight: 2 }] },
      'resources[0].weight: must be 1',
    ],
    ['a hard weight', 'InterPodAffinity', { hardPodAffinityWeight: 101 }, 'hardPodAffinityWeight'],
    [
      'constraints beside the defaults of the system',
      'PodTopologySpread',
      { defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      'defaultingType: must be List when .defaultConstraints are not empty',
    ],
    [
      'no candidates',
      'DefaultPreemption',
      { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 },
      'minCandidateNodesPercentage: cannot be zero',
    ],
  ])('is refused with wrong arguments: %s', (_, name, args, expected) => {
    const [problem] = problems({ ...HEAD, profiles: [{ pluginConfig: [{ name, args }] }] })
    expect(problem).toContain(`profiles[0].pluginConfig[0].args.${expected}`)
  })
})

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
