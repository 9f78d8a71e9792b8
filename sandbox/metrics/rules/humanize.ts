/** Numbers for people, and as Go's fmt prints them. Follows template/template.go and prometheus/common helpers/templates. */

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']

export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return general(value, 4)
  return Math.abs(value) >= 1 ? scaled(value, LARGE, 1000) : scaledUp(value)
}

export function humanize1024(value: number): string {
  return Math.abs(value) <= 1 || !Number.isFinite(value) ? general(value, 4) : scaled(value, BINARY, 1024)
}

export function humanizePercentage(ratio: number): string {
  return `${general(ratio * 100, 4)}%`
}

export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return general(seconds, 4)
  if (seconds === 0) return '0s'
  if (Math.abs(seconds) < 1) return `${scaledUp(seconds)}s`
  const sign = seconds < 0 ? '-' : ''
  const whole = Math.trunc(Math.abs(seconds))
  const [d, h, m, s] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ]
  if (d > 0) return `${sign}${d}d ${h}h ${m}m ${s}s`
  if (h > 0) return `${sign}${h}h ${m}m ${s}s`
  if (m > 0) return `${sign}${m}m ${s}s`
  return `${sign}${general(Math.abs(seconds), 4)}s`
}

/** As Go prints a time in UTC. */
export function humanizeTimestamp(seconds: number): string {
  if (!Number.isFinite(seconds)) return general(seconds, 4)
  const ms = Math.round(seconds * 1e3)
  const [date, time] = new Date(ms).toISOString().split('T') as [string, string]
  const fraction = time.slice(8, 12).replace(/\.?0+$/, '')
  return `${date} ${time.slice(0, 8)}${fraction} +0000 UTC`
}

/** A value as {{ }} prints it. */
export function plain(value: string | number | Readonly<Record<string, string>>): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return shortest(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([name, text]) => `${name}:${text}`).join(' ')}]`
}

/** The verbs alerts use: %s %v %q %d %f %g %e with flags, width and precision. */
export function printf(format: string, args: readonly (string | number)[]): string {
  let next = 0
  return format.replace(
    /%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string, precision, verb) => {
      if (verb === '%') return '%'
      const arg = args[next++]
      if (arg === undefined) return `%!${verb}(MISSING)`
      const body = verbOf(verb, arg, precision === undefined ? undefined : Number(precision))
      const signed = flags.includes('+') && typeof arg === 'number' && !body.startsWith('-') ? `+${body}` : body
      if (flags.includes('-')) return signed.padEnd(Number(width))
      const sign = /^[-+]/.exec(signed)?.[0] ?? ''
      return flags.includes('0') && typeof arg === 'number'
        ? sign + signed.slice(sign.length).padStart(Number(width) - sign.length, '0')
        : signed.padStart(Number(width))
    },
  )
}

function verbOf(verb: string, arg: string | number, precision: number | undefined): string {
  if (verb === 'v' && precision === undefined) return plain(arg)
  if (typeof arg === 'string') {
    if (verb === 'q') return JSON.stringify(arg)
    if (verb === 's' || verb === 'v') return precision === undefined ? arg : arg.slice(0, precision)
    return `%!${verb}(string=${arg})`
  }
  if (verb === 'f' || verb === 'F') return Number.isFinite(arg) ? fixed(arg, precision ?? 6) : special(arg)
  if (verb === 'e') return Number.isFinite(arg) ? twoDigits(exponential(arg, precision ?? 6)) : special(arg)
  if (verb === 'g' || verb === 'v') return precision === undefined ? shortest(arg) : general(arg, precision)
  return `%!${verb}(float64=${shortest(arg)})`
}

/** %.{digits}g */
function general(value: number, digits: number): string {
  if (!Number.isFinite(value)) return special(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const precision = Math.max(1, digits)
  const [mantissa, exponent] = exponential(value, precision - 1).split('e') as [string, string]
  const power = Number(exponent)
  const strip = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
  if (power < -4 || power >= precision) return twoDigits(`${strip(mantissa)}e${exponent}`)
  return strip(fixed(value, Math.max(0, precision - 1 - power)))
}

/** %v */
function shortest(value: number): string {
  if (!Number.isFinite(value)) return special(value)
  if (Object.is(value, -0)) return '-0'
  const power = value === 0 ? 0 : Number(value.toExponential().split('e')[1])
  return power < -4 || power >= 21 ? twoDigits(value.toExponential()) : String(value)
}

/** As toFixed, but of two equally near numbers the even one, as Go rounds. */
function fixed(value: number, digits: number): string {
  const all = Math.abs(value).toFixed(100)
  return even(all, all.indexOf('.') + 1 + digits, value) ?? value.toFixed(digits)
}

/** As toExponential, with the same rounding. */
function exponential(value: number, digits: number): string {
  const [mantissa, exponent] = Math.abs(value).toExponential(100).split('e') as [string, string]
  const cut = even(mantissa, 2 + digits, value)
  return cut === undefined ? value.toExponential(digits) : `${cut}e${exponent}`
}

/** The first `length` characters of a decimal when the rest is just a half and they end evenly. */
function even(all: string, length: number, value: number): string | undefined {
  const cut = all.slice(0, length).replace(/\.$/, '')
  if (!/^50*$/.test(all.slice(length)) || Number(cut.at(-1)) % 2 === 1) return undefined
  return value < 0 ? `-${cut}` : cut
}

const twoDigits = (text: string): string => text.replace(/e([-+])(\d)$/, 'e$10$2')
const special = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf')

function scaled(value: number, prefixes: readonly string[], factor: number): string {
  let [left, prefix] = [value, '']
  for (const next of prefixes) {
    if (Math.abs(left) < factor) break
    prefix = next
    left /= factor
  }
  return general(left, 4) + prefix
}

function scaledUp(value: number): string {
  let [left, prefix] = [value, '']
  for (const next of SMALL) {
    if (Math.abs(left) >= 1) break
    prefix = next
    left *= 1000
  }
  return general(left, 4) + prefix
}
