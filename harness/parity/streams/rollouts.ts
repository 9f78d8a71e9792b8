import { Deployment, ReplicaSet, StatefulSet } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { steps } from '../steps.ts'
import { stream } from '../stream.ts'

/** Reasons that end a rollout, one way or the other. The others say only that it goes on. */
const ENDS = new Set(['NewReplicaSetAvailable', 'ProgressDeadlineExceeded'])

/** The steps of a rollout: ReplicaSets that come and are scaled, and how it ends. */
export const rollouts = stream({
  name: 'rollouts',
  compares:
    'ReplicaSets created and scaled, one replica a step; rollouts complete, past their deadline or refused; StatefulSets’ updated pods',
  start:
    ({ roles, periods, decide }) =>
    (_record, change) => {
      if (!change?.after) return
      const { after, before } = change
      const owner = { kind: after.kind, name: after.metadata.name, namespace: after.metadata.namespace ?? 'default' }
      if (change.kind === ReplicaSet.id) {
        const [set, old] = [after as o.ReplicaSet, before as o.ReplicaSet | undefined]
        const period = periods.of(set.spec.template.spec, {
          ...owner,
          kind: 'Deployment',
          name: owner.name.replace(/-[^-]+$/, ''),
        })
        if (!old) decide(`${roles.replicaSet(set)} created`, period)
        for (const count of steps(old?.spec.replicas ?? 0, set.spec.replicas))
          decide(`${roles.replicaSet(set)} scaled to ${count}`, period)
      }
      if (change.kind === Deployment.id) {
        const [deployment, old] = [after as o.Deployment, before as o.Deployment | undefined]
        const period = periods.of(deployment.spec.template.spec, owner)
        const ends = endOf(deployment)
        if (ends && ends !== (old && endOf(old))) decide(`${roles.object(deployment)} ${ends}`, period)
        const failure = failureOf(deployment)
        if (failure && failure !== (old && failureOf(old))) decide(`${roles.object(deployment)} ${failure}`, period)
      }
      if (change.kind === StatefulSet.id) {
        const [set, old] = [after as o.StatefulSet, before as o.StatefulSet | undefined]
        const period = periods.of(set.spec.template.spec, owner)
        for (const count of steps(old?.status?.updatedReplicas ?? 0, set.status?.updatedReplicas ?? 0))
          decide(`${roles.object(set)} has ${count} updated`, period)
      }
    },
})

function endOf(deployment: o.Deployment): string | undefined {
  const reason = condition(deployment, 'Progressing')?.reason
  return reason && ENDS.has(reason) ? reason : undefined
}

function failureOf(deployment: o.Deployment): string | undefined {
  const failure = condition(deployment, 'ReplicaFailure')
  return failure?.status === 'True' ? `ReplicaFailure ${failure.reason}` : undefined
}
