import type { Us } from '../../world/time.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  y: 365 * 86_400_000,
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
}

/** A duration as Prometheus writes it: `30s`, `1h30m`, `1d`, `0`. Undefined when it is none. */
// follows ParseDuration of prometheus/common/model/time.go
export function parsePrometheusDuration(text: string): Us | undefined {
  if (text === '0') return 0
  const match = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text)
  if (!match || text === '') return undefined
  const total = Object.values(UNITS_MS).reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0)
  return total * 1e3
}

/** As Prometheus prints it: `1h30m`, `15s`. */
export function formatPrometheusDuration(duration: Us): string {
  let left = Math.round(duration / 1e3)
  if (left === 0) return '0s'
  const parts: string[] = []
  for (const [unit, ms] of Object.entries(UNITS_MS)) {
    // a week or a year is written only when nothing is left over
    if ((unit === 'y' || unit === 'w') && left % ms !== 0) continue
    const count = Math.floor(left / ms)
    if (count > 0) parts.push(`${count}${unit}`)
    left -= count * ms
  }
  return parts.join('')
}
