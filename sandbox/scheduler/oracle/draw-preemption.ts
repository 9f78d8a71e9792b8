import type * as o from '../../kube/objects.ts'
import type { SchedulingCase } from './case.ts'
import { Draw } from './draw.ts'
import { drawNominated, drawStart, mounting, namespace } from './draw-cluster.ts'
import { drawConfiguration } from './draw-configuration.ts'
import { drawNodes } from './draw-nodes.ts'
import { drawPod } from './draw-pods.ts'
import { drawSelector } from './draw-terms.ts'
import { drawStorage, type Storage } from './draw-volumes.ts'

/** Random clusters that are full, each with a pod that others may have to make room for. */
export const preemptionCases = (seed: number, count: number): SchedulingCase[] =>
  Array.from({ length: count }, (_, i) => drawPreemptionCase(new Draw(seed, `preemption/${i}`)))

const PRIORITIES = [-10, 0, 0, 1, 5, 100]

function drawPreemptionCase(draw: Draw): SchedulingCase {
  const nodes = drawNodes(draw, draw.from(1, draw.pick([2, 5, 8])), draw.chance(0.85))
  const storage = draw.chance(0.1) ? drawStorage(draw, 'incoming', nodes) : undefined
  const pods = nodes
    .flatMap((node, i) => drawVictims(draw, `p${i}`, node))
    .map((pod) => (storage && draw.chance(0.3) ? mounting(draw, pod, storage) : pod))
  const incoming = drawPreemptor(draw, nodes, storage)
  const objects = [
    ...nodes,
    ...pods,
    ...draw.list(draw.pick([0, 0, 0, 1, 3]), (i) =>
      drawNominated(draw, nodes, { name: `promised-${i}`, priority: draw.pick([...PRIORITIES, 1000, 2000]) }),
    ),
    ...draw.list(draw.pick([0, 0, 1, 2, 4]), (i) => drawBudget(draw, `budget-${i}`, pods)),
    ...(storage?.objects ?? []),
    ...[namespace('default', 'ml'), namespace('other', 'ops')],
    incoming,
  ] as unknown as o.KubeObject[]
  const { namespace: of, name } = incoming.metadata
  return { configuration: drawConfiguration(draw, 0.15), pod: `${of}/${name}`, objects }
}

/** Pods that take the GPUs of a node, or most of them. */
function drawVictims(draw: Draw, prefix: string, node: o.Node): o.Pod[] {
  let free = Number(node.status?.allocatable?.['nvidia.com/gpu'] ?? 0)
  const count = draw.from(1, draw.pick([2, 4, 6]))
  return draw.list(count, (i) => {
    const gpus = i === count - 1 && draw.chance(0.85) ? free : Math.min(free, draw.pick([1, 2, 4, 8]))
    free -= gpus
    return drawVictim(draw, `${prefix}-${i}`, node, { gpus, place: i })
  })
}

interface Victim {
  readonly gpus: number
  /** Among the pods of its node. */
  readonly place: number
}

/** Few are not started yet, or on their way out. */
function drawVictim(draw: Draw, name: string, node: o.Node, { gpus, place }: Victim): o.Pod {
  const gone = draw.chance(0.08)
  const byScheduler = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }
  const status = {
    phase: 'Running',
    ...draw.parts({
      // of a node at most one is not started: two would be as important
      startTime: [place === 0 ? 0.9 : 1, () => drawStart(draw, place)],
      conditions: [gone ? 0.7 : 0.02, () => [byScheduler]],
    }),
  } as o.Pod['status']
  const requests = {
    ...(gpus > 0 ? { 'nvidia.com/gpu': String(gpus) } : {}),
    ...draw.parts({ cpu: [0.3, () => draw.pick(['1', '8', '24'])] }),
  }
  const spec = { containers: [container(requests)], ...draw.parts({ overhead: [0.05, () => ({ cpu: '1' })] }) }
  const priority = draw.pick(PRIORITIES)
  const made = drawPod(draw, name, { podAffinity: 0.05 }, { node: node.metadata.name, priority, status, spec })
  return gone ? { ...made, metadata: { ...made.metadata, deletionTimestamp: '1999-12-31T23:59:00Z' } } : made
}

const container = (requests: Record<string, string>): o.Container => ({
  name: 'main',
  image: 'img-a',
  imagePullPolicy: 'IfNotPresent',
  resources: { requests },
})

function drawPreemptor(draw: Draw, nodes: readonly o.Node[], storage: Storage | undefined): o.Pod {
  const requests = {
    'nvidia.com/gpu': draw.pick(['2', '4', '8', '8']),
    ...(draw.parts({ cpu: [0.2, () => draw.pick(['1', '40'])] }) as Record<string, string>),
  }
  const ports = draw.parts({ ports: [0.1, () => [{ containerPort: 80, hostPort: 80 }]] })
  return drawPod(
    draw,
    'incoming',
    { nodeAffinity: 0.05, podAffinity: 0.1, spread: 0.1, tolerations: 0.2 },
    {
      priority: draw.pick([5, 50, 1000, 1000, 1000]),
      ...(storage ? { namespace: 'default' } : {}),
      status: draw.parts({ nominatedNodeName: [0.1, () => draw.pick(nodes).metadata.name] }),
      spec: {
        containers: [{ ...container(requests), ...ports }],
        ...draw.parts({
          ...(storage ? { volumes: [1, () => storage.volumes] } : {}),
          preemptionPolicy: [0.05, () => draw.pick(['Never', 'PreemptLowerPriority'])],
          tolerations: [0.6, () => [{ operator: 'Exists' }]],
        }),
      },
    },
  )
}

const drawBudget = (draw: Draw, name: string, pods: readonly o.Pod[]) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: draw.pick(['default', 'default', 'other']), uid: `uid-${name}` },
  spec: { selector: drawSelector(draw) },
  status: {
    disruptionsAllowed: draw.pick([0, 0, 1, 2]),
    ...draw.parts({ disruptedPods: [0.3, () => ({ [draw.pick(pods).metadata.name]: '1999-12-31T23:58:00Z' })] }),
    ...{ currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  },
})
