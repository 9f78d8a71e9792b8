import {
  Action,
  ASSIGNED_POD_ADD,
  ASSIGNED_POD_DELETE,
  type ClusterEvent,
  hears,
  NODE_ADD,
  NODE_DELETE,
  nodeChanges,
  podChanges,
  type StorageResource,
} from '../framework/events.ts'
import { schedulingGates } from '../framework/plugins/scheduling-gates.ts'
import type { Change, HintAnswer, SchedulingCase } from './case.ts'
import { benchOf } from './cluster.ts'

/** What a change means to our plugins. */
export function hear(item: SchedulingCase): HintAnswer {
  const change = item.change!
  const events = eventsOf(change)
  const { plugins, pod } = benchOf(item)
  const before = change.nodeBefore ?? change.podBefore ?? change.storageBefore
  const after = change.nodeAfter ?? change.podAfter ?? change.storageAfter
  const hearing = [schedulingGates, ...plugins].filter(({ events: hints = [] }) =>
    hints.some((hint) =>
      events.some((event) => hears(hint, event) && (!hint.hint || hint.hint(pod.pod, before, after))),
    ),
  )
  return { actions: events.map(({ action }) => action), plugins: hearing.map(({ name }) => name).sort() }
}

function eventsOf(change: Change): readonly ClusterEvent[] {
  const { nodeBefore, nodeAfter, podBefore, podAfter, storageBefore, storageAfter } = change
  const stored = storageAfter ?? storageBefore
  if (stored) {
    const action = !storageBefore ? Action.Add : storageAfter ? Action.Update : Action.Delete
    return [{ resource: stored.kind as StorageResource, action }]
  }
  if (nodeBefore && nodeAfter) return nodeChanges(nodeBefore, nodeAfter)
  if (nodeAfter) return [NODE_ADD]
  if (nodeBefore) return [NODE_DELETE]
  if (podBefore && podAfter) return podChanges(podBefore, podAfter)
  return [podAfter ? ASSIGNED_POD_ADD : ASSIGNED_POD_DELETE]
}

/** The others are not modelled, or their only hint is to skip. */
const EXACT = new Set([
  ...['NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity', 'NodePorts', 'NodeResourcesFit'],
  ...['VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone'],
  ...['PodTopologySpread', 'InterPodAffinity', 'SchedulingGates'],
])

/** Of a real answer what must be the same in ours. */
export const comparableHints = ({ actions, plugins }: HintAnswer): string =>
  JSON.stringify([actions, plugins.filter((plugin) => EXACT.has(plugin))])
