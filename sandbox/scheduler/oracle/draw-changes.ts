import type * as o from '../../kube/objects.ts'
import type { Change, SchedulingCase } from './case.ts'
import { Draw } from './draw.ts'
import { drawRunning, drawSchedulingCase } from './draw-cluster.ts'
import { drawConfiguration } from './draw-configuration.ts'
import { drawTaint } from './draw-nodes.ts'
import { drawRequests } from './draw-pods.ts'
import { drawStorageChange } from './draw-storage-changes.ts'
import { drawLabels, drawTolerations } from './draw-terms.ts'

/** Random clusters, each with a pod that waits and a change that may let it fit. */
export const changeCases = (seed: number, count: number): SchedulingCase[] =>
  Array.from({ length: count }, (_, i) => drawChangeCase(new Draw(seed, `change/${i}`)))

/** The same where the pod has volumes, and the change is of storage, or of a pod that has some too. */
export const storageChangeCases = (seed: number, count: number): SchedulingCase[] =>
  Array.from({ length: count }, (_, i) => {
    const draw = new Draw(seed, `storage-change/${i}`)
    const item = drawSchedulingCase(draw, 0.95)
    const others = item.objects.filter((object): object is o.Pod => object.kind === 'Pod')
    const nodes = item.objects.filter((object): object is o.Node => object.kind === 'Node')
    const change = draw.chance(0.2) ? { podBefore: draw.pick(others) } : drawStorageChange(draw, nodes)
    return { ...item, configuration: drawConfiguration(draw, 0), change }
  })

function drawChangeCase(draw: Draw): SchedulingCase {
  const item = drawSchedulingCase(draw)
  const isPod = (object: o.KubeObject): object is o.Pod => object.kind === 'Pod'
  const nodes = item.objects.filter((object): object is o.Node => object.kind === 'Node')
  const found = item.objects.filter(isPod).find(({ metadata }) => metadata.name === 'incoming')!
  const gated = draw.chance(0.2) ? { ...found, spec: { ...found.spec, schedulingGates: [{ name: 'g' }] } } : found
  const objects = item.objects.map((object) => (object === found ? gated : object))
  const other = drawOther(draw, nodes)
  const changed = draw.chance(0.3) ? gated : other
  const node = draw.pick(nodes)
  const change = draw.pick<() => Change>([
    () => ({ nodeAfter: node }),
    () => ({ nodeBefore: node }),
    () => ({ nodeBefore: node, nodeAfter: changedNode(draw, node) }),
    () => ({ nodeBefore: node, nodeAfter: changedNode(draw, node) }),
    () => ({ podAfter: other }),
    () => ({ podBefore: other }),
    () => ({ podBefore: changed, podAfter: changedPod(draw, changed) }),
  ])()
  return { ...item, configuration: drawConfiguration(draw, 0), objects, change }
}

/** The number of a pod that is not there yet. */
const OTHER = 999

/** A pod of the cluster, or one that is only promised a node, or not even that. */
function drawOther(draw: Draw, nodes: readonly o.Node[]): o.Pod {
  const pod = drawRunning(draw, OTHER, nodes)
  const { nodeName, ...spec } = pod.spec
  const placed = draw.chance(0.8) ? pod : { ...pod, spec }
  if (!draw.chance(0.2)) return placed
  return { ...placed, status: { ...placed.status, nominatedNodeName: nodeName! } } as o.Pod
}

function changedNode(draw: Draw, node: o.Node): o.Node {
  const copy = structuredClone(node) as Mutable<o.Node>
  const labels = copy.metadata.labels!
  const allocatable = copy.status!.allocatable!
  const changes = [
    () => (copy.spec.taints = draw.list(draw.from(0, 2), () => drawTaint(draw))),
    () => (copy.spec.unschedulable = draw.chance(0.5)),
    () => (labels['rack'] = draw.pick(['r1', 'r2', 'r3'])),
    () => delete labels['topology.kubernetes.io/zone'],
    () => (labels['topology.kubernetes.io/zone'] = draw.pick(['z1', 'z2'])),
    () => (labels['gpu'] = 'h100'),
    () => (allocatable['nvidia.com/gpu'] = draw.pick(['0', '4', '8', '16'])),
    () => (allocatable['cpu'] = draw.pick(['2', '8', '128'])),
    () => (allocatable['pods'] = draw.pick(['3', '200'])),
    () => (copy.status!.conditions = [{ type: 'Ready', status: draw.pick(['True', 'False'] as const) }]),
    () => (copy.metadata.annotations = { a: 'b' }),
  ]
  for (const change of draw.list(draw.from(1, 3), () => draw.pick(changes))) change()
  return copy as o.Node
}

function changedPod(draw: Draw, pod: o.Pod): o.Pod {
  const copy = structuredClone(pod) as Mutable<o.Pod>
  const changes = [
    () => (copy.metadata.labels = drawLabels(draw)),
    () => (copy.spec.tolerations = drawTolerations(draw)),
    () => (copy.spec.containers[0]!.resources = { requests: drawRequests(draw, 0.5) }),
    () => (copy.status!.phase = 'Running'),
    () => (copy.spec.schedulingGates = []),
  ]
  for (const change of draw.list(draw.from(1, 3), () => draw.pick(changes))) change()
  return copy as o.Pod
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object | undefined ? Mutable<T[K]> : T[K] }
