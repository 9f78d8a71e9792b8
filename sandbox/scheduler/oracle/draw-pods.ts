import { withMatchedLabels } from '../../apiserver/strategies/match-label-keys.ts'
import type * as o from '../../kube/objects.ts'
import { container, pod } from '../testing.ts'
import type { Draw } from './draw.ts'
import { drawLabels, drawNodeAffinity, drawPodAffinity, drawSpread, drawTolerations } from './draw-terms.ts'

/** How much is asked of where a pod may go: the share of pods that ask at all. */
interface Demands {
  readonly nodeAffinity?: number
  readonly podAffinity?: number
  readonly spread?: number
  readonly tolerations?: number
}

/** A pod of the cluster, as the API server stores it; `with` stands for what is given. */
export function drawPod(draw: Draw, name: string, demands: Demands = {}, fixed: Parameters<typeof pod>[1] = {}): o.Pod {
  const { nodeAffinity = 0, podAffinity = 0, spread = 0, tolerations = 0.2 } = demands
  const affinity = draw.parts({
    nodeAffinity: [nodeAffinity, () => drawNodeAffinity(draw)],
    podAffinity: [podAffinity, () => drawPodAffinity(draw)],
    podAntiAffinity: [podAffinity, () => drawPodAffinity(draw)],
  })
  const made = pod(name, {
    namespace: draw.chance(0.85) ? 'default' : 'other',
    labels: drawLabels(draw),
    priority: draw.pick([0, 0, 5, 10, -5]),
    ...fixed,
    spec: {
      ...drawContainers(draw),
      ...(Object.keys(affinity).length > 0 ? { affinity } : {}),
      ...draw.parts({
        overhead: [0.1, () => ({ cpu: '250m', memory: '120Mi' })],
        resources: [
          0.1,
          () => ({ requests: draw.pick([{ cpu: '3' }, { memory: '5Gi' }, { cpu: '2', memory: '3Gi' }]) }),
        ],
        tolerations: [tolerations, () => drawTolerations(draw)],
        topologySpreadConstraints: [spread, () => drawSpread(draw)],
      }),
      ...fixed.spec,
    },
  })
  // objects from an older server have their keys still to be matched
  return draw.chance(0.8) ? withMatchedLabels(made) : made
}

function drawContainers(draw: Draw): Pick<o.PodSpec, 'containers'> & Partial<o.PodSpec> {
  const containers = draw.list(draw.pick([1, 1, 2]), (i) => drawContainer(draw, `c${i}`, 0.3))
  const initContainers = draw.list(draw.from(1, 3), (i) => ({
    ...drawContainer(draw, `i${i}`, 0.1),
    ...draw.parts({ restartPolicy: [0.5, () => 'Always'] }),
  }))
  return { containers, ...draw.parts({ initContainers: [0.25, () => initContainers] }) }
}

function drawContainer(draw: Draw, name: string, gpus: number): o.Container {
  const image = draw.pick(['img-a', 'img-b:1', 'vllm/x:v1', 'reg.local:5000/y', 'vllm/x@sha256:0'])
  const made = { ...container(name, drawRequests(draw, gpus)), image }
  if (!draw.chance(0.1)) return made
  const port = {
    containerPort: 80,
    hostPort: draw.pick([80, 81]),
    protocol: draw.pick(['TCP', 'UDP']),
    ...draw.parts({ hostIP: [0.3, () => draw.pick(['10.0.0.1', '0.0.0.0', '10.0.0.2'])] }),
  }
  return { ...made, ports: [port] } as o.Container
}

export const drawRequests = (draw: Draw, gpus: number): Record<string, string> =>
  draw.parts({
    cpu: [0.7, () => draw.pick(['100m', '500m', '1', '2', '4', '16', '0'])],
    memory: [0.7, () => draw.pick(['100Mi', '1Gi', '4Gi', '1.5Gi', '1e9', '64Gi'])],
    'nvidia.com/gpu': [gpus, () => draw.pick(['0', '1', '2', '4', '8', '16'])],
    'example.com/nic': [0.05, () => draw.pick(['1', '2'])],
    'ephemeral-storage': [0.1, () => draw.pick(['1Gi', '10Gi', '200Gi'])],
    'hugepages-2Mi': [0.05, () => draw.pick(['2Mi', '64Mi'])],
  }) as Record<string, string>
