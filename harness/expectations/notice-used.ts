import { struckIn } from '../faults/aim.ts'
import { handlerIn } from '../faults/reclaim-node.ts'
import { type CheckResult, check, type Evidence } from './check.ts'
import { replicaServes } from './replica-serves.ts'
import { sloHeld } from './slo-held.ts'
import { streamsCut } from './streams-cut.ts'

/**
 * The notice of a machine's end is used: where somebody acts on it, the streams that fit it end whole, and requests are answered as promised.
 * Where nobody does, and what was promised is broken for it, that is said. Looks at requests.
 */
export const noticeUsed = check<Record<string, never>>({
  name: 'noticeUsed',
  describe: () => 'the notice is used: the availability promised, and no stream cut that fits it',
  start(_, context) {
    const streams = streamsCut.start({}, context)
    const serves = replicaServes.start({}, context)
    const slo = sloHeld.start({ objective: 'availability', leaveOut: ['reset', 'truncated'] }, context)
    let told: Evidence | undefined
    return {
      record(record, change) {
        if (record.type === 'note' && struckIn(record)) told = { at: record.at, about: record.about, text: record.text }
        for (const fold of [streams, serves, slo]) fold.record(record, change)
      },
      result(): CheckResult {
        const held = slo.result()
        if (!told) return { samples: 0 }
        const handler = handlerIn(told.text)
        if (!handler && held.broken) return { ...held, broken: unused(held.broken, told) }
        // with nobody left to take them, where streams go is not the question
        const cut = handler && !serves.result().broken ? streams.result().broken : undefined
        return {
          ...held,
          broken: cut ?? held.broken,
          summary: handler ? `acted on by ${handler}` : 'the notice is unused: no termination handler is declared',
        }
      },
    }
  },
})

const unused = (broken: NonNullable<CheckResult['broken']>, told: Evidence) => ({
  ...broken,
  cause: 'notice-unused',
  what: `nobody acts on the notice, and ${broken.what}`,
  evidence: [told, ...broken.evidence],
})
