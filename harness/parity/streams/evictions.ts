import { Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { DRAIN_RETRY } from '../periods.ts'
import { stream } from '../stream.ts'

/** What `kubectl drain` says of an eviction that was refused. */
const REFUSED =
  /^error when evicting pods\/"(?<pod>[^"]+)" -n "(?<namespace>[^"]+)" \(will retry after \w+\): (?<why>.*)$/

/** Pods sent away: by evictions, for taints, for others of higher priority, with their node; and evictions that were refused. */
export const evictions = stream({
  name: 'evictions',
  compares:
    'pods evicted, preempted or deleted for a taint, by the reason their status gives; evictions refused to kubectl drain',
  start:
    ({ roles, periods, decide }) =>
    (record, change) => {
      if (record.type === 'note') {
        const { pod, namespace, why } = REFUSED.exec(record.text)?.groups ?? {}
        if (pod) decide(`eviction of ${roles.podNamed(`${namespace}/${pod}`)} refused: ${why}`, DRAIN_RETRY)
        return
      }
      if (change?.kind !== Pod.id || !change.after) return
      const pod = change.after as o.Pod
      const reason = disruption(pod)
      if (!reason || reason === (change.before && disruption(change.before as o.Pod))) return
      decide(`${roles.pod(pod)} from ${roles.node(pod.spec.nodeName ?? '')}: ${reason}`, longer(periods.ofPod(pod)))
    },
})

/** A drain comes back to a pod after its pause. */
const longer = (period: typeof DRAIN_RETRY): typeof DRAIN_RETRY => (period.us > DRAIN_RETRY.us ? period : DRAIN_RETRY)

function disruption(pod: o.Pod): string | undefined {
  const target = condition(pod, 'DisruptionTarget')
  return target?.status === 'True' ? target.reason : undefined
}
