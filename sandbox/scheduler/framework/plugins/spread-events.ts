import { equal } from '../../../journal/merge-patch.ts'
import type { Node, Pod } from '../../../kube/objects.ts'
import { Action, type EventHint } from '../events.ts'
import { constraintsOf, hasAllKeys, type SpreadListers } from './spread-constraints.ts'

/** Changes that may make room in a topology. Follows pkg/scheduler/framework/plugins/podtopologyspread/plugin.go. */
export function spreadEvents(listers: SpreadListers): EventHint[] {
  return [
    {
      resource: 'Pod',
      actions: Action.Add | Action.UpdatePodLabel | Action.UpdatePodToleration | Action.Delete,
      hint: (pod, before, after) => podMatters(pod, before as Pod | undefined, after as Pod | undefined, listers),
    },
    {
      resource: 'Node',
      actions: Action.Add | Action.Delete | Action.UpdateNodeLabel | Action.UpdateNodeTaint,
      hint: (pod, before, after) => nodeMatters(pod, before as Node | undefined, after as Node | undefined, listers),
    },
  ]
}

function podMatters(pod: Pod, before: Pod | undefined, after: Pod | undefined, listers: SpreadListers): boolean {
  if ((after && !isInvolved(after, pod)) || (before && !isInvolved(before, pod))) return false
  const constraints = constraintsOf(pod, 'DoNotSchedule', listers)
  const counts = (p: Pod) => constraints.map((c) => c.selector.matches(p.metadata.labels))
  if (!before || !after) return counts((after ?? before)!).includes(true)
  const toleratesAnew = !equal(after.spec.tolerations ?? [], before.spec.tolerations ?? [])
  if (pod.metadata.uid === after.metadata.uid && toleratesAnew && constraints.some((c) => c.honorsTaints)) return true
  return !equal(counts(before), counts(after))
}

function isInvolved(changed: Pod, pod: Pod): boolean {
  if (changed.metadata.uid === pod.metadata.uid) return true
  if (!changed.spec.nodeName && !changed.status?.nominatedNodeName) return false
  return changed.metadata.namespace === pod.metadata.namespace
}

function nodeMatters(pod: Pod, before: Node | undefined, after: Node | undefined, listers: SpreadListers): boolean {
  const constraints = constraintsOf(pod, 'DoNotSchedule', listers)
  const had = before !== undefined && hasAllKeys(before, constraints)
  const has = after !== undefined && hasAllKeys(after, constraints)
  if (!before || !after) return had || has
  if (had !== has) return true
  const moved = constraints.some(
    ({ topologyKey }) => before.metadata.labels?.[topologyKey] !== after.metadata.labels?.[topologyKey],
  )
  return has && (moved || !equal(before.spec.taints ?? [], after.spec.taints ?? []))
}
