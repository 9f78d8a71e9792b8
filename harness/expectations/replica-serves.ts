import { keyOf, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { isStruck, type Struck, struckIn } from '../faults/aim.ts'
import { isOf } from '../subject.ts'
import { workloadOf } from '../workload-object.ts'
import { type Broken, check } from './check.ts'

/**
 * From the time the platform has settled, a replica is Ready; one on its way out that still serves counts. Nothing is asked where pods of another
 * workload answer behind the same Service. Looks at the subject's pods.
 */
export const replicaServes = check<Record<string, never>>({
  name: 'replicaServes',
  describe: () => 'a replica is Ready',
  start(_, { subject, view, phase, replicasNeeded }) {
    const ready = new Map<string, o.Pod>()
    let struck: Struck | undefined
    /** Where the replicas ran when the failure struck. */
    let nodes: string[] = []
    let samples = 0
    let lowest = Number.POSITIVE_INFINITY
    let broken: Broken | undefined
    return {
      record(record, change) {
        if (change?.kind === Pod.id) {
          const pod = (change.after ?? change.before) as o.Pod
          if (!isOf(subject, pod)) return
          if (change.after && isReady(pod)) ready.set(change.key, pod)
          else ready.delete(change.key)
        } else if (record.type === 'note') {
          struck = struckIn(record) ?? struck
          if (struckIn(record)) nodes = [...new Set([...ready.values()].map(({ spec }) => spec.nodeName ?? ''))]
        } else if (record.type !== 'phase') return
        if (phase() !== 'timeline' && phase() !== 'converge') return
        samples++
        lowest = Math.min(lowest, ready.size)
        if (ready.size > 0 || broken || replicasNeeded === 0) return
        const replicas = workloadOf(subject, view)?.spec.replicas ?? 0
        const together = replicas > 1 && nodes.length === 1
        broken = {
          at: record.at,
          cause:
            replicas === 1 ? 'only-replica-disrupted' : together ? 'replicas-on-one-node' : 'all-replicas-disrupted',
          what: `${subject.name} had no Ready replica left: ${
            replicas === 1
              ? 'it has only one'
              : together
                ? `all ${replicas} ran on ${nodes[0]}`
                : `none of ${replicas} serves`
          }`,
          evidence: view
            .list(Pod)
            .filter((pod) => isOf(subject, pod))
            .slice(0, 4)
            .map((pod) => ({ at: record.at, about: `Pod ${keyOf(pod)}`, text: stateText(pod, struck) })),
        }
      },
      result: () => ({ samples, broken, summary: `never below ${lowest} Ready` }),
    }
  },
})

function stateText(pod: o.Pod, struck: Struck | undefined): string {
  const where = pod.spec.nodeName ? `on ${pod.spec.nodeName}` : 'on no node'
  const state = pod.metadata.deletionTimestamp ? 'being deleted' : isReady(pod) ? 'Ready' : 'not Ready'
  return `${where}, ${state}${struck && isStruck(struck, pod) ? ' (struck by the failure)' : ''}`
}
