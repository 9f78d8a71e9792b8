import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'
import { style } from '../style.ts'
import { shown } from './shown.ts'

/** How far around the moment asked for, and how many lines at most. */
const AROUND: Us = seconds(60)
const LINES_MAX = 60

/** What happened, as a reader of the journal tells it: phases, faults, events, ends of containers, requests that failed. */
export function timelineLines(records: readonly JournalRecord[], options: { around?: Us; subject: string }): string[] {
  const { around } = options
  const told = records.flatMap((record) => {
    if (around !== undefined && Math.abs(record.at - around) > AROUND) return []
    const text = textOf(record, around !== undefined)
    return text ? [{ at: record.at, text }] : []
  })
  const lines = folded(told).map(
    ({ at, text, times }) =>
      `${style.dim(formatDuration(at).padStart(9))}  ${text}${times > 1 ? style.dim(` (×${times})`) : ''}`,
  )
  if (lines.length === 0 && around !== undefined)
    return [
      style.dim(
        `nothing happened around ${formatDuration(around)}: the trial ended at ${formatDuration(records.at(-1)?.at ?? 0)}`,
      ),
      '',
    ]
  if (lines.length <= LINES_MAX) return [...lines, '']
  const left = lines.length - LINES_MAX
  return [...lines.slice(0, LINES_MAX), style.dim(`           … ${left} more; --journal FILE writes everything`), '']
}

function textOf(given: JournalRecord, close: boolean): string | undefined {
  if (!TOLD_TYPES.has(given.type)) return undefined
  const record = shown(given)
  switch (record.type) {
    case 'phase':
      return style.bold(`— ${record.phase}`)
    case 'fault':
      return style.yellow(`${record.step} ${record.detail ?? record.fault}`)
    case 'event':
      if (record.level === 'Normal' && !close && !TOLD.has(record.reason)) return undefined
      return `${record.level === 'Warning' ? style.yellow('!') : ' '} ${record.reason} ${record.kind}/${nameOf(record.key)}: ${record.message}`
    case 'alert':
      return record.state === 'firing' || record.state === 'failed' || close
        ? style.yellow(`alert ${record.alert} ${record.state}${record.error ? `: ${record.error}` : ''}`)
        : undefined
    case 'request':
      return record.outcome === 'ok' || record.outcome === 'unfinished'
        ? undefined
        : style.red(`request ${record.outcome}${record.pod ? ` by ${nameOf(record.pod)}` : ''}`)
    case 'log':
      return close && /ERROR|Traceback|error:/.test(record.line)
        ? `  ${nameOf(record.pod)} log: ${record.line}`
        : undefined
    default:
      return undefined
  }
}

const TOLD_TYPES: ReadonlySet<string> = new Set(['phase', 'fault', 'event', 'request', 'log'])
const TOLD = new Set(['ScalingReplicaSet', 'Scheduled', 'Killing', 'Pulled', 'Preempted'])
const nameOf = (key: string): string => key.slice(key.indexOf('/') + 1)

/** How long a line may still take in its repeats. */
const REPEATS_WITHIN: Us = seconds(600)

/** A line that comes again soon is counted where it first stood: probes fail every few seconds. */
function folded(told: readonly { at: Us; text: string }[]): { at: Us; text: string; times: number }[] {
  const out: { at: Us; text: string; times: number }[] = []
  const latest = new Map<string, { at: Us; times: number }>()
  for (const one of told) {
    const before = latest.get(one.text)
    if (before && one.at - before.at < REPEATS_WITHIN) {
      before.times++
      continue
    }
    const line = { ...one, times: 1 }
    latest.set(one.text, line)
    out.push(line)
  }
  return out
}
