import type { Draw } from './draw.ts'
import { drawNodeAffinity, RACK, ZONE } from './draw-terms.ts'

type Configuration = Record<string, unknown>

const HEADER = {
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  percentageOfNodesToScore: 100,
}

/** The default profile, or one of those that scoring strategies, arguments, weights and sets of plugins make. */
export function drawConfiguration(draw: Draw, others: number): Configuration {
  if (!draw.chance(others)) return HEADER
  const pluginConfig = [fit, balanced, interPod, spread, nodeAffinity, preemption]
    .filter(() => draw.chance(0.35))
    .map((make) => make(draw))
  return { ...HEADER, profiles: [{ pluginConfig, ...draw.parts({ plugins: [0.3, () => drawPlugins(draw)] }) }] }
}

const resources = (draw: Draw) =>
  ['cpu', 'memory', 'nvidia.com/gpu', 'ephemeral-storage']
    .filter((_, i) => i === 0 || draw.chance(0.6))
    .map((name) => ({ name, weight: draw.pick([1, 1, 3, 10]) }))

const SHAPES = [
  [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ],
  [
    { utilization: 0, score: 10 },
    { utilization: 40, score: 3 },
    { utilization: 100, score: 0 },
  ],
  [
    { utilization: 20, score: 2 },
    { utilization: 70, score: 10 },
    { utilization: 90, score: 1 },
  ],
]

const fit = (draw: Draw) => {
  const type = draw.pick(['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'])
  const ratio = type === 'RequestedToCapacityRatio' ? { requestedToCapacityRatio: { shape: draw.pick(SHAPES) } } : {}
  return {
    name: 'NodeResourcesFit',
    args: {
      scoringStrategy: { type, resources: resources(draw), ...ratio },
      ...draw.parts({
        ignoredResources: [0.2, () => ['example.com/nic']],
        ignoredResourceGroups: [0.1, () => ['nvidia.com']],
      }),
    },
  }
}

const balanced = (draw: Draw) => ({
  name: 'NodeResourcesBalancedAllocation',
  args: { resources: resources(draw).map(({ name }) => ({ name, weight: 1 })) },
})

const interPod = (draw: Draw) => ({
  name: 'InterPodAffinity',
  args: { hardPodAffinityWeight: draw.pick([0, 1, 50]), ignorePreferredTermsOfExistingPods: draw.chance(0.5) },
})

const spread = (draw: Draw) => ({
  name: 'PodTopologySpread',
  args: {
    defaultingType: 'List',
    defaultConstraints: [ZONE, RACK].map((topologyKey) => ({
      ...{ topologyKey, maxSkew: draw.from(1, 3) },
      whenUnsatisfiable: draw.pick(['DoNotSchedule', 'ScheduleAnyway']),
    })),
  },
})

const nodeAffinity = (draw: Draw) => ({ name: 'NodeAffinity', args: { addedAffinity: drawNodeAffinity(draw) } })

const preemption = (draw: Draw) => ({
  name: 'DefaultPreemption',
  args: { minCandidateNodesPercentage: draw.pick([10, 50]), minCandidateNodesAbsolute: draw.pick([1, 2, 100]) },
})

function drawPlugins(draw: Draw): Configuration {
  const scores = ['NodeResourcesFit', 'TaintToleration', 'PodTopologySpread', 'InterPodAffinity', 'ImageLocality']
  return draw.parts({
    score: [0.6, () => ({ disabled: [{ name: draw.pick(scores) }] })],
    multiPoint: [0.4, () => ({ enabled: [{ name: draw.pick(scores), weight: draw.from(2, 7) }] })],
    filter: [0.2, () => ({ disabled: [{ name: draw.pick(['NodeUnschedulable', 'NodePorts', 'TaintToleration']) }] })],
    postFilter: [0.2, () => ({ disabled: [{ name: 'DefaultPreemption' }] })],
  })
}
