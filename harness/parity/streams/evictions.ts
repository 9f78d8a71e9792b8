import { Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { DRAIN_PROCESS } from '../../faults/drain-node.ts'
import { remediationIn } from '../../platform/roles/remediation.ts'
import { DRAIN_RETRY } from '../periods.ts'
import { type Period, stream } from '../stream.ts'

/** What `kubectl drain` says of an eviction that was refused. */
const REFUSED =
  /^error when evicting pods\/"(?<pod>[^"]+)" -n "(?<namespace>[^"]+)" \(will retry after \w+\): (?<why>.*)$/

/** Pods sent away: by evictions, for taints, for others of higher priority, with their node; and evictions that were refused. */
export const evictions = stream({
  name: 'evictions',
  compares:
    'pods evicted, preempted or deleted for a taint, by the reason their status gives; evictions refused to kubectl drain',
  start({ view, roles, periods, decide }) {
    let drained = false
    /** A drain comes back to a pod after its pause; without one it is the descheduler that looks, where there is one. */
    const periodOf = (pod: o.Pod): Period => {
      const { descheduler } = drained ? {} : remediationIn(view.all())
      const looks = descheduler ? { name: 'descheduling interval', us: descheduler.intervalUs } : DRAIN_RETRY
      const own = periods.ofPod(pod)
      return own.us > looks.us ? own : looks
    }
    return (record, change) => {
      if (record.type === 'note') {
        drained ||= record.by === DRAIN_PROCESS
        const { pod, namespace, why } = REFUSED.exec(record.text)?.groups ?? {}
        if (pod) decide(`eviction of ${roles.podNamed(`${namespace}/${pod}`)} refused: ${why}`, DRAIN_RETRY)
        return
      }
      if (change?.kind !== Pod.id || !change.after) return
      const pod = change.after as o.Pod
      const reason = disruption(pod)
      if (!reason || reason === (change.before && disruption(change.before as o.Pod))) return
      decide(`${roles.pod(pod)} from ${roles.node(pod.spec.nodeName ?? '')}: ${reason}`, periodOf(pod))
    }
  },
})

function disruption(pod: o.Pod): string | undefined {
  const target = condition(pod, 'DisruptionTarget')
  return target?.status === 'True' ? target.reason : undefined
}
