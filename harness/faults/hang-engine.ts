import { keyOf } from '../../sandbox/kube/kinds.ts'
import { aim, struckIn, tellStruck } from './aim.ts'
import { fault } from './fault.ts'

/** The engine of the subject's first pod stops stepping while its server goes on. Seen in requests to it that are not answered. */
export const hangEngine = fault<Record<string, never>>({
  name: 'hangEngine',
  lever: 'engine.hang',
  sort: 'failure',
  describe: () => 'the engine of one replica stops stepping, and /health still says 200',
  *inject(_, context) {
    const target = aim(context)
    if (!target) return () => undefined
    const { pod } = target
    tellStruck(context, 'hangEngine', { pod: keyOf(pod) }, `the engine of ${pod.metadata.name} stops stepping`)
    return context.sandbox.levers['engine.hang']!(({ metadata }) => metadata.uid === pod.metadata.uid)
  },
  visible(_, { subject }) {
    let hung: string | undefined
    let hungAt = 0
    let unanswered = 0
    return {
      record(record) {
        if (record.type === 'note') {
          const struck = struckIn(record)
          if (!struck || !('pod' in struck)) return
          hung = struck.pod
          hungAt = record.at
        } else if (record.type === 'request' && record.target === subject.key && record.pod === hung)
          if (record.outcome !== 'ok' && record.at >= hungAt) unanswered++
      },
      result: () => ({ samples: unanswered }),
    }
  },
})
