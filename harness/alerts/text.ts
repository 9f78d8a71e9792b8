import { formatDuration } from '../../sandbox/world/time.ts'
import type { AlertsSeen, FiredAlert, SilentAlert } from './seen.ts'
import { shortList } from './short-list.ts'

/** What alerts told of a failure, in lines: those that fired, the time users were hurt and none did, those that never fired. */
export function alertLines(seen: AlertsSeen): string[] {
  const { harm, silent, left } = seen
  const after = seen.fired.filter(({ before }) => !before)
  const lines = seen.fired.map((one) => firedText(one, seen))
  const requests = harm && `requests failed (${harm.failed} of ${harm.of})`
  if (
    harm &&
    !seen.fired.some(
      ({ firedAt, endedAt }) => firedAt <= harm.lastAt && (endedAt ?? Number.POSITIVE_INFINITY) >= harm.firstAt,
    )
  )
    lines.push(
      harm.lastAt > harm.firstAt
        ? `no alert fired in the ${formatDuration(harm.lastAt - harm.firstAt)} in which ${requests}`
        : `no alert fired when ${requests}`,
    )
  else if (!harm && after.length === 0 && silent.length > 0) lines.push('no alert fired, and no request failed')
  if (silent.length > 0) lines.push(`never fired: ${shortList(silent.map(silentText))}`)
  const never = left.filter(({ kind }) => kind === 'never')
  const unknown = left.filter(({ kind }) => kind !== 'never')
  if (never.length > 0) lines.push(`can never fire: ${namesOf(never)}`)
  if (unknown.length > 0) lines.push(`not evaluated: ${namesOf(unknown)}`)
  return lines
}

function firedText(
  { alert, severity, firedAt, endedAt, before, fault }: FiredAlert,
  { faultAt, harm }: AlertsSeen,
): string {
  const name = `alert ${alert}${severity ? ` (${severity})` : ''}`
  const ended = endedAt === undefined ? '' : `, for ${formatDuration(endedAt - firedAt)}`
  if (before) return `${name} fired before the fault already${ended}`
  const since = fault
    ? `${formatDuration(firedAt - fault.at)} after «${fault.what}»`
    : `${formatDuration(firedAt - faultAt)} after the fault`
  return `${name} fired ${since}${harm ? `, ${lead(firedAt - harm.firstAt)} the first request failed` : ''}${ended}`
}

const lead = (us: number): string => (us < 0 ? `${formatDuration(-us)} before` : `${formatDuration(us)} after`)

function silentText({ alert, forUs, heldUs, error }: SilentAlert): string {
  if (error !== undefined) return `${alert} (its expression fails: ${error})`
  return heldUs === undefined
    ? alert
    : `${alert} (held for ${formatDuration(heldUs)} of the ${formatDuration(forUs)} it must)`
}

const namesOf = (alerts: AlertsSeen['left']): string => shortList(alerts.map(({ alert }) => alert))
