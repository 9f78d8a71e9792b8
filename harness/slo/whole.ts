import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { allowedAmong } from './attainment.ts'
import { gradeOf, latencyOf } from './grade.ts'
import { type Objective, samplesNeeded } from './objective.ts'

/** What all requests of a load together say of an objective. */
export interface WholeJudgement {
  readonly objective: Objective
  /** Requests that say something about it. */
  readonly judged: number
  readonly good: number
  /** `too-few`: one request more or less would decide. */
  readonly verdict: 'held' | 'broken' | 'too-few'
  /** Of a latency's percentile, by nearest rank over those judged; undefined where that request has none: it was not answered. */
  readonly valueUs: Us | undefined
}

/** Judges the requests as one window. */
export function judgeWhole(objective: Objective, records: readonly RequestRecord[]): WholeJudgement {
  const said = records.filter((record) => gradeOf(record, objective) !== undefined)
  const good = said.filter((record) => gradeOf(record, objective) === true).length
  const judged = said.length
  const bad = judged - good
  const needed = samplesNeeded(objective)
  // so many bad ones would be too many among as many as are needed, too
  const broken = bad > allowedAmong(Math.max(judged, needed), objective)
  return {
    objective,
    judged,
    good,
    verdict: broken ? 'broken' : judged < needed ? 'too-few' : 'held',
    valueUs: percentileValue(objective, said),
  }
}

function percentileValue(objective: Objective, records: readonly RequestRecord[]): Us | undefined {
  if (!('percentile' in objective) || records.length === 0) return undefined
  const values = records
    .map((record) => latencyOf(record, objective.kind) ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const rank = Math.ceil(Number(((objective.percentile / 100) * values.length).toPrecision(12)))
  const value = values[Math.max(0, rank - 1)]!
  return Number.isFinite(value) ? value : undefined
}
