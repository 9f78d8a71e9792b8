import type { Node, Pod, Taint } from '../../../kube/objects.ts'
import { Action } from '../events.ts'
import { plugin } from '../plugin.ts'
import { unresolvable } from '../status.ts'
import { isTolerated } from './taints.ts'

const NAME = 'NodeUnschedulable'
const REJECTED = unresolvable(NAME, 'node(s) were unschedulable')
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

const toleratesCordon = (pod: Pod): boolean => isTolerated(pod.spec.tolerations ?? [], CORDONED)

/** Follows pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go. */
export const nodeUnschedulable = plugin({
  name: NAME,
  nodeLocal: true,
  filter: (_, { pod }, { node }) => (node!.spec.unschedulable && !toleratesCordon(pod) ? REJECTED : undefined),
  events: [
    {
      resource: 'Node',
      actions: Action.Add | Action.UpdateNodeTaint,
      hint: (_, before, after) =>
        (!before || Boolean((before as Node).spec.unschedulable)) && !(after as Node).spec.unschedulable,
    },
    {
      resource: 'Pod',
      actions: Action.UpdatePodToleration,
      hint: (pod, _, after) => pod.metadata.uid === (after as Pod).metadata.uid && toleratesCordon(after as Pod),
    },
  ],
})
