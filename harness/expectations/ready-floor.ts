import { isRollingUpdate, maxUnavailableOf } from '../../sandbox/controllers/deployment/fenceposts.ts'
import { Deployment, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { deploymentOf, isOf } from '../subject.ts'
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
        } else if (record.type !== 'phase' && change?.kind !== Deployment.id) return
        if (phase() !== 'timeline' && phase() !== 'converge') return
        const deployment = deploymentOf(subject, view)
        if (!deployment) return
        samples++
        floor = Math.max(deployment.spec.replicas - maxUnavailable(deployment), needed)
        lowest = Math.min(lowest, ready.size)
        if (ready.size >= floor || broken) return
        broken = {
          at: record.at,
          cause:
            needed > deployment.spec.replicas
              ? 'too-few-replicas-for-load'
              : ready.size === 0
                ? 'no-replica-ready'
                : 'too-few-replicas-ready',
          wanted: floor,
          what: `${subject.name} had ${ready.size} Ready of ${deployment.spec.replicas} replicas; ${floor} needed`,
          evidence: [
            {
              at: record.at,
              about: `Deployment ${subject.key}`,
              text: `Ready ${ready.size} < ${floor} = max(replicas ${deployment.spec.replicas} − maxUnavailable ${maxUnavailable(deployment)}, ${needed} for the load)`,
            },
          ],
        }
      },
      result: () => ({ samples, broken, summary: `never below ${lowest} Ready, ${floor} needed` }),
    }
  },
})

/** A Recreate strategy may take every replica away. */
const maxUnavailable = (deployment: o.Deployment): number =>
  isRollingUpdate(deployment) ? maxUnavailableOf(deployment) : deployment.spec.replicas
