/**
 * Time in Seatrial is an integer count of microseconds since the trial began; durations are microseconds too.
 * Kubernetes objects carry RFC 3339 strings with whole seconds (metav1.Time); they are made from trial time at the edge.
 */

/** Microseconds since the trial began, or a duration in microseconds. */
export type Us = number

export const ms = (n: number): Us => Math.round(n * 1e3)
export const seconds = (n: number): Us => Math.round(n * 1e6)
export const minutes = (n: number): Us => Math.round(n * 60e6)

export const toSeconds = (t: Us): number => t / 1e6

/** Trial time 0 as Unix milliseconds: 2026-01-01T00:00:00Z. The same for every trial, so that the same seed gives the same bytes. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

/** RFC 3339 with whole seconds, as metav1.Time is serialised. */
export function toRfc3339(t: Us): string {
  const second = Math.floor(t / 1e6)
  if (second !== lastSecond) {
    lastText = `${new Date(EPOCH_MS + second * 1e3).toISOString().slice(0, 19)}Z`
    lastSecond = second
  }
  return lastText
}

/** RFC 3339 with microseconds, as metav1.MicroTime is serialised: the only form it is read in. */
export const toMicroTime = (t: Us): string =>
  `${toRfc3339(t).slice(0, -1)}.${String(Math.floor(t) - Math.floor(t / 1e6) * 1e6).padStart(6, '0')}Z`

/** Times come in runs of the same second. */
let lastSecond = Number.NaN
let lastText = ''

/** The trial time of an RFC 3339 string; NaN when it is not one. */
export const fromRfc3339 = (text: string): Us => (Date.parse(text) - EPOCH_MS) * 1e3

/** "2m04s", "540ms", "1h05m00s": for people. */
export function formatDuration(duration: Us): string {
  if (duration < 0) return `-${formatDuration(-duration)}`
  if (duration < seconds(1)) return `${Math.round(duration / 1e3)}ms`
  const total = Math.round(duration / 1e6)
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  if (h > 0) return `${h}h${two(m)}m${two(s)}s`
  return m > 0 ? `${m}m${two(s)}s` : `${s}s`
}

const UNITS_US: Record<string, number> = { h: 3600e6, m: 60e6, s: 1e6, ms: 1e3, us: 1 }

/** Parses "90s", "1m30s", "500ms". Throws a RangeError on anything else. */
export function parseDuration(text: string): Us {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|m|s)/g)]
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text)
    throw new RangeError(`not a duration: "${text}" (write it like 90s, 1m30s or 500ms)`)
  return Math.round(parts.reduce((sum, p) => sum + Number(p[1]) * UNITS_US[p[2]!]!, 0))
}
