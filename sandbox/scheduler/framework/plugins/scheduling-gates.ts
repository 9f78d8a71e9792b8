import type { Pod } from '../../../kube/objects.ts'
import type { Gate } from '../../queue/scheduling-queue.ts'
import { Action } from '../events.ts'

/** A pod with scheduling gates is not tried. Follows pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go. */
export const schedulingGates: Gate = {
  name: 'SchedulingGates',
  admits: ({ spec }) => !spec.schedulingGates?.length,
  events: [
    {
      resource: 'Pod',
      actions: Action.UpdatePodSchedulingGatesEliminated,
      hint: (pod, _, after) => pod.metadata.uid === (after as Pod).metadata.uid,
    },
  ],
}
