import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isOf } from '../subject.ts'
import { fault } from './fault.ts'

interface Params {
  factor: number
}

/** Weights load `factor` times slower: a cold cache, a busy store. Seen when a server of the subject starts under it. */
export const slowWeights = fault<Params>({
  name: 'slowWeights',
  lever: 'engine.loadFactor',
  sort: 'failure',
  describe: ({ factor }) => `weights load ${factor} times slower`,
  stretches: ({ factor }) => factor,
  *inject({ factor }, { sandbox, subject }) {
    return sandbox.levers['engine.loadFactor']!((pod) => isOf(subject, pod), factor)
  },
  visible(_, { subject }) {
    let active = false
    let starts = 0
    const startedAt = (pod: o.Pod | undefined) =>
      pod?.status.containerStatuses?.find((c) => c.name === subject.container)?.state.running?.startedAt
    return {
      record(record, change) {
        if (record.type === 'fault' && record.fault === 'slowWeights') active = record.step === 'inject'
        if (!active || change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        const now = startedAt(pod)
        if (isOf(subject, pod) && now !== undefined && now !== startedAt(change.before as o.Pod | undefined)) starts++
      },
      result: () => ({ samples: starts }),
    }
  },
})
