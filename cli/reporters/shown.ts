import { printable, unobeyed } from '../../harness/platform/printable.ts'
import type { Reporter } from './reporter.ts'

/** How a line of a text that has several begins after the first: it must not look like a line of ours, nor like a workflow command. */
const NEXT_LINE = '\n     | '

/**
 * A value whose texts may be shown: what a terminal would obey is written as an escape, further lines are marked as such, and
 * what GitHub's runner would take for a command (`::error::` at the begin of a line, `##[error]` anywhere) is none any more.
 * Texts nobody can do harm with stay as they are.
 */
export function shown<T>(value: T, nextLine = NEXT_LINE): T {
  if (typeof value === 'string') return text(value, nextLine) as T
  if (Array.isArray(value)) return value.map((one) => shown(one, nextLine)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      text(key, nextLine),
      key === 'adds' ? pasted(one) : shown(one, nextLine),
    ]),
  ) as T
}

/** Files to paste stay whole, line by line. */
function pasted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pasted)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, pasted(one)]))
  return typeof value === 'string' ? noCommand(unobeyed(value).replaceAll(/^(\s*)::/gm, '$1: :')) : value
}

const text = (given: string, nextLine: string): string => noCommand(printable(given).replaceAll('\n', nextLine))

const noCommand = (given: string): string => given.replaceAll('##[', '# #[')

/** A reporter that is told only what may be shown. `nextLine`: how further lines of a text begin; a new line alone where it is escaped later. */
export const guarded = (reporter: Reporter, nextLine = NEXT_LINE): Reporter => ({
  begin: (overview) => reporter.begin(shown(overview, nextLine)),
  trying: (scenario, subject) => reporter.trying?.(shown(scenario, nextLine), shown(subject, nextLine)),
  verdict: (verdict, tookMs) => reporter.verdict(shown(verdict, nextLine), tookMs),
  waivers: (remarks) => reporter.waivers?.(shown(remarks, nextLine)),
  end: (totals) => reporter.end(totals),
})
