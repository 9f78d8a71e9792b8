import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { seconds } from '../../world/time.ts'
import type { Listers } from '../framework/plugin.ts'
import { defaultPlugins } from '../framework/plugins/index.ts'
import { parseSchedulerConfiguration, SchedulerConfigurationError } from './configuration.ts'
import { pluginsOf } from './profile-plugins.ts'

const HEAD = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }
const listers: Listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }

const profileOf = (profile: object) => parseSchedulerConfiguration({ ...HEAD, profiles: [profile] }).profiles[0]!

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
