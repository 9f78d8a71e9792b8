import { Node, Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition, isFinished } from '../../../sandbox/kube/pods.ts'
import type { ObjectsView } from '../../objects-view.ts'
import { amountsOf, plus, requestsOf } from './requests.ts'

/**
 * A node that a pending pod could go to by resources, taints and node selector alone. Undefined for pods with constraints that
 * look at other pods or at volumes: their placement is not worked out here.
 */
export function nodeWithRoom(view: ObjectsView, pod: o.Pod): string | undefined {
  const { spec } = pod
  if (
    spec.affinity ||
    spec.topologySpreadConstraints ||
    spec.volumes?.some((volume) => volume['persistentVolumeClaim'])
  )
    return undefined
  return view.list(Node).find((node) => takes(node, pod) && hasRoom(view, node, pod))?.metadata.name
}

/** Whether a node would take a pod if it were empty of others. */
export function takes(node: o.Node, { spec }: Pick<o.Pod, 'spec'>): boolean {
  if (node.spec.unschedulable || condition(node, 'Ready')?.status !== 'True') return false
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value))
    return false
  return (node.spec.taints ?? []).every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      (spec.tolerations ?? []).some(
        ({ key, operator = 'Equal', value = '', effect }) =>
          (!key || key === taint.key) &&
          (!effect || effect === taint.effect) &&
          (operator === 'Exists' || value === (taint.value ?? '')),
      ),
  )
}

function hasRoom(view: ObjectsView, node: o.Node, pod: o.Pod): boolean {
  const there = view.list(Pod).filter((one) => one.spec.nodeName === node.metadata.name && !isFinished(one))
  const used = there.map(requestsOf).reduce(plus, {})
  const allocatable = amountsOf(node.status.allocatable)
  if (there.length + 1 > (allocatable['pods'] ?? 110)) return false
  // room that another pending pod of higher priority was promised is not room
  if (view.list(Pod).some((one) => one.status.nominatedNodeName === node.metadata.name && one !== pod)) return false
  return Object.entries(requestsOf(pod)).every(
    ([resource, amount]) => amount === 0 || (used[resource] ?? 0) + amount <= (allocatable[resource] ?? 0) + 1e-6,
  )
}
