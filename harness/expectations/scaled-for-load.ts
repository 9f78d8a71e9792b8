import { KV_USAGE } from '../scaling/engine-gauges.ts'
import { LackOfReplicas } from '../scaling/lack-of-replicas.ts'
import { TakenAway } from '../scaling/taken-away.ts'
import { Attainment } from '../slo/attainment.ts'
import { type ObjectiveName, objectivesFor, percent } from '../slo/objective.ts'
import { readyPods } from '../subject.ts'
import { type CheckResult, check } from './check.ts'
import { sloRecovered } from './slo-recovered.ts'

interface Params {
  readonly objective: ObjectiveName
  /** Where requests waited, less than this share of the KV cache was taken, or it was not what the scenario is about. */
  readonly kvBelow?: number
}

/**
 * After the load has risen beyond what ran there are as many Ready replicas as it needs, and the promises to clients are met again, for a minute and
 * on. Says why not: the autoscaler never acted, acted late, had no room, or took the replicas away again. Looks at the requests that say something about the promises.
 */
export const scaledForLoad = check<Params>({
  name: 'scaledForLoad',
  describe: ({ objective }) =>
    `there are enough replicas for the load that rose, and the ${objective} SLO is met again`,
  start(params, context) {
    const recovered = sloRecovered.start({ objective: params.objective }, context)
    const lack = new LackOfReplicas(context)
    const taken = new TakenAway(context, params.objective)
    let before: readonly Attainment[] = []
    return {
      record(record, change) {
        recovered.record(record, change)
        lack.record(record, change)
        taken.record(record, change)
        if (record.type === 'phase' && record.phase === 'timeline')
          before = objectivesFor(context.slos, params.objective).map(
            (objective) => new Attainment({ objective, windowUs: 60e6, startUs: record.at, tenant: undefined }),
          )
        const stepAt = context.loadStepAt()
        if (record.type !== 'request' || record.target !== context.subject.key) return
        if (stepAt !== undefined && record.intendedAt < stepAt) for (const one of before) one.add(record)
      },
      result(): CheckResult {
        const { samples, reachedAt, sinceUs, missing, summary } = recovered.result()
        const peak = context.peakReplicas() ?? 0
        const enough = readyPods(context.subject, context.view) >= peak * ALMOST
        const why = missing ? { missing: lack.explain(missing) } : {}
        if (context.phase() !== 'judge')
          return { samples, sinceUs, ...(enough && reachedAt !== undefined ? { reachedAt } : why) }
        const unjudged = whyNot(params, lack, before, context.loadStepAt() ?? 0)
        if (unjudged) return { samples: 0, unjudged }
        const flapped = taken.broken()
        if (flapped) return { samples, sinceUs, missing: lack.withBatch(flapped) }
        if (taken.at !== undefined && !missing) return { samples: 0, unjudged: TAKEN_AWAY }
        if (enough && reachedAt !== undefined)
          return { samples, sinceUs, reachedAt, summary: `${summary}; ${lack.acted()}` }
        if (reachedAt !== undefined && !missing) return { samples: 0, unjudged: NOT_OVERLOADED }
        return { samples, sinceUs, ...why }
      },
    }
  },
})

/** Capacities are worked out to a few percent. */
const ALMOST = 0.95

const NOT_OVERLOADED = {
  what: 'the promises were met although no replica was added: the load did not go beyond what ran',
  fix: 'Look whether others answer behind the same Service, or what the SLOs allow.',
}

const TAKEN_AWAY = {
  what: 'replicas were taken away again under the same load, and the promises were still met when the trial ended',
  fix: 'Look at the SLO and at the lengths of prompts and answers: fewer replicas than were worked out seem to be enough.',
}

/** Why the trial says nothing about the autoscaler. */
function whyNot(
  { kvBelow }: Params,
  lack: LackOfReplicas,
  before: readonly Attainment[],
  stepAt: number,
): { what: string; fix: string } | undefined {
  const early = before.find((one) => one.firstBroken({ now: stepAt, open: [] }))
  if (early && !lack.fell())
    return {
      what: `${early.objective.kind} was not as promised at 0.7 of what the replicas can serve, before the load rose`,
      fix: 'Look at the SLO and at the lengths of prompts and answers: such a server cannot keep it.',
    }
  if (kvBelow === undefined) return undefined
  const { waitingSince, kvUsage } = lack.gauges
  if (waitingSince === undefined || kvUsage <= kvBelow) return undefined
  return {
    what: `${percent(kvUsage)} of the KV cache was taken while requests waited (${KV_USAGE[0]}): here it fills up first`,
    fix: 'Nothing: on this server the usage of the KV cache does tell of saturation.',
  }
}
