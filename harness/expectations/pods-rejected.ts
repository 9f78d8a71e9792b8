import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isOf, podName } from '../subject.ts'
import { type Broken, check } from './check.ts'

/** Rejected pods are replaced at once, and the next ones rejected too: so many are no accident. */
const TOO_MANY = 10

/** Pods of the subject that a node refuses to run, over and over: bound by `nodeName` to a node that has no room. Looks at every pod. */
export const podsRejected = check<Record<string, never>>({
  name: 'podsRejected',
  describe: () => 'pods that their node rejects, over and over',
  start(_, { subject }) {
    const seen = new Set<string>()
    const rejected = new Set<string>()
    let broken: Broken | undefined
    return {
      record(record, change) {
        if (change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        if (!isOf(subject, pod)) return
        seen.add(pod.metadata.uid)
        if (pod.status.phase !== 'Failed' || !pod.status.message?.startsWith('Pod was rejected')) return
        rejected.add(pod.metadata.uid)
        if (broken || rejected.size < TOO_MANY) return
        broken = {
          at: record.at,
          cause: 'pods-rejected',
          what: `${rejected.size} pods of ${subject.name} were rejected by their node (${pod.status.reason}), and each is replaced by another`,
          evidence: [{ at: record.at, about: podName(pod), text: pod.status.message }],
        }
      },
      result: () => ({ samples: seen.size, broken, summary: `${seen.size} pods, ${rejected.size} rejected` }),
    }
  },
})
