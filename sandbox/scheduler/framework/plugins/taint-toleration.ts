import type { Node, Pod, Toleration } from '../../../kube/objects.ts'
import { Action } from '../events.ts'
import { defaultNormalize, plugin } from '../plugin.ts'
import { unresolvable } from '../status.ts'
import { isTolerated, keepsAway } from './taints.ts'

const NAME = 'TaintToleration'
const REJECTED = unresolvable(NAME, 'node(s) had untolerated taint(s)')

/** Follows pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go. */
export const taintToleration = plugin<undefined, readonly Toleration[]>({
  name: NAME,
  nodeLocal: true,
  weight: 3,
  filter: (_, { pod }, { node }) => (keepsAway(node!.spec.taints, pod.spec.tolerations) ? REJECTED : undefined),
  preScore: ({ pod }) => (pod.spec.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule'),
  score(tolerations, _, { node }) {
    const { taints } = node!.spec
    if (!taints || taints.length === 0) return 0
    return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(tolerations, taint)).length
  },
  normalize: (scores) => defaultNormalize(scores, true),
  events: [
    {
      resource: 'Node',
      actions: Action.Add | Action.UpdateNodeTaint,
      hint: (pod, before, after) =>
        (!before || keepsAway((before as Node).spec.taints, pod.spec.tolerations)) &&
        !keepsAway((after as Node).spec.taints, pod.spec.tolerations),
    },
    {
      resource: 'Pod',
      actions: Action.UpdatePodToleration,
      hint: (pod, _, after) => pod.metadata.uid === (after as Pod).metadata.uid,
    },
  ],
})
