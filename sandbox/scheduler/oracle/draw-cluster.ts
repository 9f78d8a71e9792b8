import type * as o from '../../kube/objects.ts'
import { owner, replicaSet } from '../testing.ts'
import type { SchedulingCase } from './case.ts'
import { Draw } from './draw.ts'
import { drawConfiguration } from './draw-configuration.ts'
import { drawNodes } from './draw-nodes.ts'
import { drawPod } from './draw-pods.ts'
import { drawDisk, drawStorage, type Storage } from './draw-volumes.ts'

/** Random clusters, each with a pod to be placed. Case `i` of a seed is the same in every run. */
export const schedulingCases = (seed: number, count: number): SchedulingCase[] =>
  Array.from({ length: count }, (_, i) => drawSchedulingCase(new Draw(seed, `scheduling/${i}`)))

const REPLICAS = replicaSet('rs-a', { app: 'a' })

/** Of pods of one node no two may start at the same time: upstream takes them in any order. Of pods of different nodes some do. */
export const drawStart = (draw: Draw, place: number): string =>
  `1999-12-31T2${draw.from(0, 3)}:${draw.pick(['10', '20', '30'])}:${10 + (place % 50)}Z`

/** Random clusters whose pod has volumes. */
export const storageCases = (seed: number, count: number): SchedulingCase[] =>
  Array.from({ length: count }, (_, i) => drawSchedulingCase(new Draw(seed, `storage/${i}`), 1))

/** `stored`: the share of pods that have volumes. */
export function drawSchedulingCase(draw: Draw, stored = 0.12): SchedulingCase {
  const roomy = draw.chance(0.7)
  const nodes = drawNodes(draw, draw.chance(0.005) ? 120 : draw.from(1, draw.pick([3, 8, 12])), roomy)
  const pods = draw.list(draw.from(0, draw.pick([1, 4]) * nodes.length), (i) => drawRunning(draw, i, nodes))
  const storage = draw.chance(stored) ? drawStorage(draw, 'incoming', nodes) : undefined
  const incoming = drawIncoming(draw, nodes, storage, roomy ? 0.15 : 0.3)
  const count = storage && draw.chance(0.5) ? draw.pick([1, 1, 2, 4]) : 0
  const users = storage ? pods.slice(0, count).map((pod) => mounting(draw, pod, storage)) : []
  const others = pods.slice(users.length)
  const objects = [
    ...nodes,
    ...users,
    ...others,
    ...(draw.chance(0.15) ? [drawNominated(draw, nodes)] : []),
    ...(draw.chance(0.3) ? [drawService(draw)] : []),
    ...(storage?.objects ?? []),
    ...[REPLICAS, namespace('default', 'ml'), namespace('other', 'ops')],
    incoming,
  ] as unknown as o.KubeObject[]
  const { namespace: of, name } = incoming.metadata
  return { configuration: drawConfiguration(draw, 0.3), pod: `${of}/${name}`, objects }
}

/** Pod `p<place>` on one of the nodes. */
export function drawRunning(draw: Draw, place: number, nodes: readonly o.Node[]): o.Pod {
  const made = drawPod(
    draw,
    `p${place}`,
    { podAffinity: 0.12 },
    { node: draw.pick(nodes).metadata.name, status: { phase: 'Running', startTime: drawStart(draw, place) } },
  )
  if (!draw.chance(0.05)) return made
  return { ...made, metadata: { ...made.metadata, deletionTimestamp: '1999-12-31T23:59:00Z' } }
}

function drawIncoming(draw: Draw, nodes: readonly o.Node[], storage: Storage | undefined, demands: number): o.Pod {
  const controlled = draw.chance(0.4)
  // to follow chance through preemption on many nodes would take long
  const many = nodes.length > 12
  const made = drawPod(
    draw,
    'incoming',
    { nodeAffinity: demands, podAffinity: demands, spread: demands, tolerations: 0.4 },
    {
      ...(controlled ? { ownerReferences: [owner(REPLICAS)], labels: { app: 'a' }, namespace: 'default' } : {}),
      ...(storage ? { namespace: 'default' } : {}),
      status: draw.parts({ nominatedNodeName: [0.05, () => draw.pick(nodes).metadata.name] }),
      spec: draw.parts({
        nodeSelector: [demands / 2, () => draw.pick([{ rack: 'r1' }, { gpu: 'h100' }, {}])],
        preemptionPolicy: [many ? 1 : 0.1, () => (many ? 'Never' : draw.pick(['Never', 'PreemptLowerPriority']))],
        ...(storage ? { volumes: [1, () => storage.volumes] } : {}),
      }),
    },
  )
  return draw.chance(0.03) ? named(made, draw.pick([...nodes.map(({ metadata }) => metadata.name), 'gone'])) : made
}

/** A DaemonSet's pod: its node is asked for by name. */
function named(pod: o.Pod, node: string): o.Pod {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [node] }]
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
  return { ...pod, spec: { ...pod.spec, affinity: { ...pod.spec.affinity, nodeAffinity } } }
}

/** The pod with some of what the other mounts, or with something beside it. */
export const mounting = (draw: Draw, pod: o.Pod, { volumes }: Storage): o.Pod => {
  const shared = volumes.filter(() => draw.chance(0.8))
  const own = draw.list(draw.pick([0, 0, 1]), () => ({ name: 'own', ...drawDisk(draw) }))
  const namespace = draw.chance(0.9) ? 'default' : 'other'
  // a claim that is another pod's ends the cycle of everyone who comes after
  const usable = draw.chance(0.9) ? shared.filter(({ ephemeral }) => !ephemeral) : shared
  return { ...pod, metadata: { ...pod.metadata, namespace }, spec: { ...pod.spec, volumes: [...usable, ...own] } }
}

/** A pod that is promised a node. */
export const drawNominated = (
  draw: Draw,
  nodes: readonly o.Node[],
  fixed: { readonly name?: string; readonly priority?: number } = {},
): o.Pod => {
  const { name = 'promised', ...rest } = fixed
  return drawPod(
    draw,
    name,
    { podAffinity: 0.1 },
    { ...rest, status: { nominatedNodeName: draw.pick(nodes).metadata.name } },
  )
}

const drawService = (draw: Draw) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'default', uid: 'uid-s' },
  spec: { selector: draw.pick([{ app: 'a' }, { tier: 'x' }]) },
})

export const namespace = (name: string, team: string): o.KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, uid: `uid-${name}`, labels: { team } },
  }) as unknown as o.KubeObject
