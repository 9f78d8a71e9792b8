import { keyOf } from '../../sandbox/kube/kinds.ts'
import { isOf } from '../subject.ts'
import { fault } from './fault.ts'

/** Written once for each pod whose series were kept back. */
const NOTED_BY = 'fault/loseSeries'

/**
 * The server's own series are no longer among what it exposes, though scrapes succeed: a release that names them otherwise, a relabelling
 * rule that drops them. Seen in a scrape that would have had them.
 */
export const loseSeries = fault<Record<string, never>>({
  name: 'loseSeries',
  lever: 'metrics.series',
  sort: 'failure',
  describe: () => 'the server’s metrics are no longer among what it exposes, though scrapes succeed',
  *inject(_, { sandbox, subject }) {
    const noted = new Set<string>()
    return sandbox.levers['metrics.series']!((metric, pod) => {
      if (!metric.startsWith('vllm:') || !isOf(subject, pod)) return false
      const about = keyOf(pod)
      if (!noted.has(about)) {
        noted.add(about)
        sandbox.world.journal.append({ type: 'note', by: NOTED_BY, about, text: `${metric} and others are missing` })
      }
      return true
    })
  },
  visible() {
    let pods = 0
    return {
      record(record) {
        if (record.type === 'note' && record.by === NOTED_BY) pods++
      },
      result: () => ({ samples: pods }),
    }
  },
})
