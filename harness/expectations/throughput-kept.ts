import { formatDuration, minutes, toSeconds, type Us } from '../../sandbox/world/time.ts'
import { check, type Evidence } from './check.ts'

interface Params {
  /** Of what was answered before the load rose. */
  share: number | `$${string}`
}

const WINDOW: Us = minutes(1)

interface Answered {
  readonly at: Us
  readonly tokens: number
}

/**
 * Under more load than can be served no less is answered than before: tokens of whole answers that ended in the minute before the load rises, against
 * each minute from its second one on until it falls. Looks at the answers before.
 */
export const throughputKept = check<Params>({
  name: 'throughputKept',
  describe: ({ share }) => `at least ${share} of the tokens answered before the load rose`,
  start({ share }, { subject, phase, loadStepAt, loadSteadyAt }) {
    const answered: Answered[] = []
    return {
      record(record) {
        if (record.type !== 'request' || record.target !== subject.key || record.outcome !== 'ok') return
        answered.push({ at: record.at, tokens: record.outputTokens })
      },
      result() {
        const from = loadStepAt()
        const until = loadSteadyAt()
        if (from === undefined || until === undefined) return { samples: 0 }
        const before = answered.filter(({ at }) => at > from - WINDOW && at <= from)
        if (phase() !== 'judge') return { samples: before.length }
        const usual = tokens(before)
        const worst = worstOf(answered, from + WINDOW, until)
        const text = `${rate(usual)} before, ${rate(worst.tokens)} in the worst minute under more load`
        if (worst.tokens >= Number(share) * usual) return { samples: before.length, summary: text }
        const at = worst.from + WINDOW
        const evidence: Evidence[] = [
          { at: from, about: 'whole answers', text: `${rate(usual)} in the minute before the load rose` },
          { at, about: 'whole answers', text: `${rate(worst.tokens)} in the minute until ${formatDuration(at)}` },
        ]
        const what = `the servers collapse under load: ${text}`
        return { samples: before.length, broken: { at, cause: 'throughput-collapse', what, evidence } }
      },
    }
  },
})

/** The minute with the fewest tokens, of those that begin on every tenth second. */
function worstOf(answered: readonly Answered[], from: Us, until: Us): { from: Us; tokens: number } {
  let worst = { from, tokens: Number.POSITIVE_INFINITY }
  for (let start = from; start + WINDOW <= Math.max(until, from + WINDOW); start += WINDOW / 6) {
    const sum = tokens(answered.filter(({ at }) => at > start && at <= start + WINDOW))
    if (sum < worst.tokens) worst = { from: start, tokens: sum }
  }
  return worst
}

const tokens = (answered: readonly Answered[]): number => answered.reduce((sum, one) => sum + one.tokens, 0)

const rate = (count: number): string => `${Math.round(count / toSeconds(WINDOW))} tokens/s`
