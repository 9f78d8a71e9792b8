import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { isOf } from '../subject.ts'
import { isWorkloadKind, maxUnavailableReplicas, workloadOf } from '../workload-object.ts'
import { type Broken, check } from './check.ts'

interface Params {
  /** Replicas the load needs, whatever the strategy allows. Filled in by the trial from the workload. */
  needed?: number
}

/** From the time the platform has settled, enough replicas are Ready: replicas − maxUnavailable, and as many as the load needs. */
export const readyFloor = check<Params>({
  name: 'readyFloor',
  describe: () => 'Ready replicas ≥ replicas − maxUnavailable, and enough for the load',
  start({ needed = 0 }, { subject, view, phase }) {
    const ready = new Set<string>()
    let samples = 0
    let lowest = Number.POSITIVE_INFINITY
    let floor = 0
    let broken: Broken | undefined
    return {
      record(record, change) {
        if (change?.kind === Pod.id) {
          const pod = (change.after ?? change.before) as o.Pod
          if (isOf(subject, pod)) {
            if (change.after && isReady(pod) && !pod.metadata.deletionTimestamp) ready.add(change.key)
            else ready.delete(change.key)
          }
        } else if (record.type !== 'phase' && !(change && isWorkloadKind(change.kind))) return
        if (phase() !== 'timeline' && phase() !== 'converge') return
        const workload = workloadOf(subject, view)
        if (!workload) return
        samples++
        floor = Math.max(workload.spec.replicas - maxUnavailableReplicas(workload), needed)
        lowest = Math.min(lowest, ready.size)
        if (ready.size >= floor || broken) return
        broken = {
          at: record.at,
          cause:
            needed > workload.spec.replicas
              ? 'too-few-replicas-for-load'
              : ready.size === 0
                ? 'no-replica-ready'
                : 'too-few-replicas-ready',
          wanted: floor,
          what: `${subject.name} had ${ready.size} Ready of ${workload.spec.replicas} replicas; ${floor} needed`,
          evidence: [
            {
              at: record.at,
              about: `${subject.kind} ${subject.key}`,
              text: `Ready ${ready.size} < ${floor} = max(replicas ${workload.spec.replicas} − maxUnavailable ${maxUnavailableReplicas(workload)}, ${needed} for the load)`,
            },
          ],
        }
      },
      result: () => ({ samples, broken, summary: `never below ${lowest} Ready, ${floor} needed` }),
    }
  },
})
