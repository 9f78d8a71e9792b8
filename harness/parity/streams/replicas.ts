import { Deployment, StatefulSet } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { steps } from '../steps.ts'
import { stream } from '../stream.ts'

/** How many replicas each workload is to have, and how many are ready. */
export const replicas = stream({
  name: 'replicas',
  compares:
    'spec.replicas and ready replicas of every Deployment and StatefulSet; each ready replica is a step of its own',
  start:
    ({ roles, periods, decide }) =>
    (_record, change) => {
      if ((change?.kind !== Deployment.id && change?.kind !== StatefulSet.id) || !change.after) return
      const workload = change.after as o.Deployment
      const before = change.before as o.Deployment | undefined
      const { kind, metadata, spec } = workload
      const name = roles.object(workload)
      const period = periods.of(spec.template.spec, {
        kind,
        name: metadata.name,
        namespace: metadata.namespace ?? 'default',
      })
      if (spec.replicas !== before?.spec.replicas) decide(`${name} wants ${spec.replicas}`, period)
      for (const count of steps(before?.status?.readyReplicas ?? 0, workload.status?.readyReplicas ?? 0))
        decide(`${name} has ${count} ready`, period)
    },
})
