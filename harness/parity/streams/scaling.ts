import { HorizontalPodAutoscaler, ScaledObject } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { HPA_SYNC } from '../periods.ts'
import { stream } from '../stream.ts'

/** What autoscalers want, and what they say of themselves. */
export const scaling = stream({
  name: 'scaling',
  compares:
    'replicas wanted by every HorizontalPodAutoscaler; conditions of these and of KEDA’s ScaledObjects with their reasons',
  start:
    ({ roles, periods, decide }) =>
    (_record, change) => {
      if ((change?.kind !== HorizontalPodAutoscaler.id && change?.kind !== ScaledObject.id) || !change.after) return
      const after = change.after as o.HorizontalPodAutoscaler | o.ScaledObject
      const before = change.before as typeof after | undefined
      const name = roles.object(after)
      const period = after.kind === 'ScaledObject' ? periods.polling(after as o.ScaledObject) : HPA_SYNC
      if (after.kind === 'HorizontalPodAutoscaler') {
        const wanted = (after as o.HorizontalPodAutoscaler).status?.desiredReplicas
        if (
          wanted !== undefined &&
          wanted !== (before as o.HorizontalPodAutoscaler | undefined)?.status?.desiredReplicas
        )
          decide(`${name} wants ${wanted}`, period)
      }
      for (const { type, status, reason } of after.status?.conditions ?? []) {
        const old = before && condition(before, type)
        if (status !== old?.status || reason !== old?.reason)
          decide(`${name} ${type}=${status}${reason ? ` ${reason}` : ''}`, period)
      }
    },
})
