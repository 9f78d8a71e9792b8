import { Pod } from '../../sandbox/kube/kinds.ts'
import { isOf } from '../subject.ts'
import { type Broken, check } from './check.ts'
import { HungEngines } from './hung-engine.ts'

const KILLED = /^Container (\S+) failed liveness probe, will be restarted$/

/** A replica killed by its liveness probe although its engine works: it was busy. Looks at the time under load. */
export const busyKilled = check<Record<string, never>>({
  name: 'busyKilled',
  describe: () => 'a replica killed by its liveness probe although its engine works',
  start(_, context) {
    const { subject, view, phase } = context
    const engines = new HungEngines(context)
    const misses = new Map<string, string>()
    let broken: Broken | undefined
    let samples = 0
    return {
      record(record, change) {
        engines.record(record, change)
        if (record.type === 'request' && record.target === subject.key) samples++
        if (record.type !== 'event' || record.kind !== 'Pod' || phase() === 'settle' || broken) return
        if (record.reason === 'Unhealthy' && record.message.startsWith('Liveness'))
          misses.set(record.key, record.message)
        if (record.reason !== 'Killing' || !KILLED.test(record.message)) return
        const pod = view.get(Pod, record.key)
        if (!pod || !isOf(subject, pod) || engines.isRunning(pod)) return
        const said = misses.get(record.key)
        const about = `Pod ${record.key}`
        broken = {
          at: record.at,
          cause: 'liveness-kills-busy',
          what: `${pod.metadata.name} was killed by its liveness probe although its engine works`,
          evidence: [
            ...(said ? [{ at: record.at, about, text: said }] : []),
            { at: record.at, about, text: record.message },
          ],
        }
      },
      result: () => ({ samples, broken, summary: `none in ${samples} requests` }),
    }
  },
})
