import { formatDuration, parseDuration, type Us } from '../../sandbox/world/time.ts'
import { type Broken, type CheckResult, check } from './check.ts'

interface Params {
  /** The fault that is to be told of. */
  readonly since: string
  /** How long after its begin an alert may take to fire. */
  readonly within: string
}

/**
 * An alert of the platform tells of a failure: one whose expression began to hold after it did, and that fires within the bound, in one of the
 * times the failure lasted at least: while Prometheus itself is away none can. Nothing is asked of a platform that brings no
 * alerts, or alerts that are not simulated. Looks at alerts.
 */
export const outageAlerted = check<Params>({
  name: 'outageAlerted',
  describe: ({ within }) => `an alert fires within ${within}, where the platform has alerts`,
  start({ since, within }, { alerts, subject }) {
    const bound = parseDuration(within)
    const unknown = alerts.filter(({ left }) => left !== undefined && left.kind !== 'never')
    let begunAt: Us | undefined
    let told: string | undefined
    let broken: Broken | undefined
    let open = false
    const expire = (now: Us) => {
      if (begunAt === undefined || told || !open || now < begunAt + bound) return
      open = false
      broken = silence(begunAt + bound, {
        since,
        within,
        subject: subject.key,
        alerts: alerts.map(({ alert }) => alert),
      })
    }
    return {
      record(record) {
        if (record.type === 'fault' && record.fault === since) {
          if (record.step === 'inject') [begunAt, open] = [record.at, true]
          return
        }
        expire(record.at)
        if (record.type !== 'alert' || record.state !== 'firing' || begunAt === undefined || told) return
        if (!open || record.activeAt < begunAt) return
        told = `alert ${record.alert} fired ${formatDuration(record.at - begunAt)} after it began`
        broken = undefined
      },
      result(): CheckResult {
        if (alerts.length === 0) return { samples: 1, summary: 'not asked: no alert is among the manifests' }
        if (told) return { samples: alerts.length, summary: told }
        if (unknown.length > 0)
          return {
            samples: alerts.length,
            summary: `not judged: ${unknown.map(({ alert }) => alert).join(', ')} not simulated`,
          }
        return broken ? { samples: alerts.length, broken, provisional: true } : { samples: alerts.length }
      },
    }
  },
})

const WHAT: Readonly<Record<string, string>> = { cutMetrics: 'metrics no longer reached the autoscaler' }

const silence = (
  at: Us,
  { since, within, subject, alerts }: Params & { readonly subject: string; readonly alerts: readonly string[] },
): Broken => ({
  at,
  cause: 'outage-not-alerted',
  what: `no alert fired within ${within}, although ${WHAT[since] ?? since}`,
  evidence: [{ at, about: `alerts of ${subject}'s platform`, text: `never fired: ${alerts.join(', ')}` }],
})
