import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import { hpaOf, saysOf, scaledObjectOf } from '../scaling/autoscaler.ts'
import { isWorkloadKind, workloadOf } from '../workload-object.ts'
import { type Broken, type CheckContext, type CheckResult, check } from './check.ts'

interface Params {
  /** The failure during which it counts. */
  readonly since: string
}

/**
 * The autoscaler takes replicas away while the failure lasts and the load is what it was: fewer are wanted than when it began. Nothing is said of a
 * platform that had no more than its fewest then.
 */
export const replicasFall = check<Params>({
  name: 'replicasFall',
  describe: () => 'the autoscaler takes replicas away while the load is what it was',
  start({ since }, context) {
    const { subject, view } = context
    let before: { replicas: number; fewest: number; at: Us } | undefined
    /** Since the metrics came back, a fall is what the new figures say: those of a few servers, until all are scraped again. */
    let gone = 0
    let looks = 0
    let broken: Broken | undefined
    return {
      record(record, change) {
        const workload = workloadOf(subject, view)
        if (!workload) return
        const isFault = record.type === 'fault' && record.fault === since
        if (isFault && record.step === 'inject') gone++
        if (isFault && record.step === 'heal') gone--
        if (isFault && !before) before = { replicas: workload.spec.replicas, fewest: fewestOf(context), at: record.at }
        if (!before || gone === 0 || before.replicas <= before.fewest) return
        looks++
        if (broken || !change || !isWorkloadKind(change.kind) || change.key !== subject.key) return
        if (workload.spec.replicas >= before.replicas) return
        broken = {
          at: record.at,
          cause: causeOf(context, since),
          what: `${subject.name} was taken from ${before.replicas} to ${workload.spec.replicas} replicas ${formatDuration(record.at - before.at)} after ${AFTER[since] ?? since}, under the same load`,
          wanted: before.replicas,
          evidence: [
            {
              at: record.at,
              about: `${subject.kind} ${subject.key}`,
              text: `replicas ${before.replicas} → ${workload.spec.replicas}`,
            },
            ...saysOf(subject, view, record.at),
          ],
        }
      },
      result(): CheckResult {
        if (before && before.replicas <= before.fewest)
          return {
            samples: 0,
            unjudged: {
              what: `it had ${before.replicas} replica${before.replicas === 1 ? '' : 's'}, its fewest, although the load was more than they serve: there was nothing to take away`,
              fix: 'Look at hpa-on-cpu-blind: an autoscaler that does not act on load cannot be tried here.',
            },
          }
        return {
          samples: looks,
          ...(broken ? { broken } : {}),
          ...(before ? { summary: `${before.replicas} replicas while the metrics were gone` } : {}),
        }
      },
    }
  },
})

const AFTER: Readonly<Record<string, string>> = {
  cutMetrics: 'its metrics went away',
  loseSeries: 'the series went away',
}

function fewestOf({ subject, view }: CheckContext): number {
  return hpaOf(subject, view)?.spec.minReplicas ?? scaledObjectOf(subject, view)?.spec.minReplicaCount ?? 1
}

function causeOf({ subject, view }: CheckContext, since: string): string {
  const onFallback = scaledObjectOf(subject, view)?.status?.conditions?.some(
    ({ type, status }) => type === 'Fallback' && status === 'True',
  )
  if (onFallback) return 'fallback-undercuts'
  return since === 'loseSeries' ? 'absent-series-taken-for-idle' : 'outage-taken-for-idle'
}
