import type { RequestRecord } from '../../sandbox/journal/record.ts'
import { seconds, type Us } from '../../sandbox/world/time.ts'
import type { OpenRequest } from '../load/simulated-sender.ts'
import type { Latency, LatencyLimits, Objective } from './objective.ts'

/** Whether a request met an objective; undefined where it says nothing about it (yet). */
export type Grade = boolean | undefined

/** A request that nothing has come of for this long, and that was then given up by the trial, was not answered. */
const SILENT_FOR: Us = seconds(30)

/** TTFT, TPOT (vLLM's: what follows the first token, by token) or end-to-end latency; undefined where the answer has none. */
export function latencyOf({ outcome, ttftUs, e2eUs, outputTokens }: RequestRecord, latency: Latency): Us | undefined {
  if (latency === 'ttft') return ttftUs
  if (outcome !== 'ok' || e2eUs === undefined) return undefined
  if (latency === 'e2e') return e2eUs
  return ttftUs === undefined || outputTokens < 2 ? undefined : (e2eUs - ttftUs) / (outputTokens - 1)
}

/**
 * A request that has ended. No answer is late without end: a server that answers nothing has no good TTFT. Only what the trial itself broke
 * off (`unfinished`) before its limit says nothing; and how fast tokens follow one another, only whole answers say.
 */
export function gradeOf(record: RequestRecord, objective: Objective): Grade {
  if (objective.kind === 'availability') return answered(record)
  if (objective.kind === 'goodput') return goodOf(record, objective.limits)
  return withinLimit(record, objective.kind, objective.limitUs)
}

/** A request under way at `now`: bad as soon as it cannot be good any more. */
export function gradeOpen(request: OpenRequest, objective: Objective, now: Us): Grade {
  if (objective.kind === 'availability')
    return request.firstTokenAt === undefined && now - request.intendedAt > SILENT_FOR ? false : undefined
  if (objective.kind !== 'goodput') return openWithin(request, objective.kind, objective.limitUs, now)
  const broken = (Object.entries(objective.limits) as [Latency, Us][]).some(
    ([latency, limitUs]) => openWithin(request, latency, limitUs, now) === false,
  )
  return broken ? false : undefined
}

function answered(record: RequestRecord): Grade {
  if (record.outcome !== 'unfinished') return record.outcome === 'ok'
  return record.ttftUs === undefined && record.at - record.intendedAt >= SILENT_FOR ? false : undefined
}

function goodOf(record: RequestRecord, limits: LatencyLimits): Grade {
  const grades = (Object.entries(limits) as [Latency, Us][]).map(([latency, limitUs]) =>
    withinLimit(record, latency, limitUs),
  )
  if (grades.includes(false)) return false
  // one without a TPOT (a single token) is judged by the rest
  return answered(record)
}

function withinLimit(record: RequestRecord, latency: Latency, limitUs: Us): Grade {
  const value = latencyOf(record, latency)
  if (value !== undefined) return value <= limitUs
  if (latency === 'tpot') return undefined
  if (record.outcome !== 'unfinished') return false
  return record.at - record.intendedAt > limitUs ? false : undefined
}

function openWithin(request: OpenRequest, latency: Latency, limitUs: Us, now: Us): Grade {
  const { intendedAt, firstTokenAt, outputTokens } = request
  if (latency === 'ttft') {
    if (firstTokenAt !== undefined) return firstTokenAt - intendedAt <= limitUs
    return now - intendedAt > limitUs ? false : undefined
  }
  if (latency === 'e2e') return now - intendedAt > limitUs ? false : undefined
  if (firstTokenAt === undefined || outputTokens < 2) return undefined
  return (now - firstTokenAt) / (outputTokens - 1) > limitUs ? false : undefined
}
