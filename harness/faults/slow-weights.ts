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
    const seen = new Set<string>()
    return {
      record(_record, change) {
        if (change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        const status = pod.status.containerStatuses?.find((c) => c.name === subject.container)
        if (isOf(subject, pod) && status?.state.running) seen.add(status.containerID ?? pod.metadata.uid)
      },
      result: () => ({ samples: seen.size }),
    }
  },
})
