/** Values of literals. Each gives undefined, or throws a `SyntaxError` with Prometheus' reason, for what is none. */

const UNITS_MS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 86400e3],
  ['w', 7 * 86400e3],
  ['d', 86400e3],
  ['h', 3600e3],
  ['m', 60e3],
  ['s', 1e3],
  ['ms', 1],
]

/** What a Go duration, in nanoseconds, can hold. */
const MAX_MS = (2 ** 63 - 1) / 1e6

/** Milliseconds of `1h30m`. Follows ParseDuration of prometheus/common model/time.go. */
export function durationMs(text: string): number {
  const quoted = JSON.stringify(text)
  let last = -1
  let total = 0
  for (const [, digits, unit] of text.matchAll(/(\d+)(\D+)/g)) {
    const order = UNITS_MS.findIndex(([name]) => name === unit)
    if (order < 0) throw new SyntaxError(`unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    if (order <= last) throw new SyntaxError(`not a valid duration string: ${quoted}`)
    last = order
    total += Number(digits) * UNITS_MS[order]![1]
    if (total > MAX_MS) throw new SyntaxError('duration out of range')
  }
  if (last < 0) throw new SyntaxError(`not a valid duration string: ${quoted}`)
  return total
}

/** Follows parser.number: Go's integers of any base first, then its floats. */
export function numberValue(text: string): number {
  const plain = text.replaceAll('_', '')
  if (/^nan$/i.test(text)) return Number.NaN
  if (/^inf$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^0[xX]/.test(text)) {
    if (BigInt(plain) > 2n ** 63n - 1n)
      throw new SyntaxError(`error parsing number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
    return Number(plain)
  }
  if (/^0[0-7]+$/.test(plain)) return Number.parseInt(plain, 8)
  const value = Number(plain)
  if (Number.isFinite(value)) return value
  throw new SyntaxError(`error parsing number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`)
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/** The text of a quoted string. Follows util/strutil/quote.go; bytes that are no UTF-8 become U+FFFD. */
export function stringValue(text: string): string {
  const inner = text.slice(1, -1)
  if (text[0] === '`' || !inner.includes('\\')) return inner
  const bytes: number[] = []
  for (const [piece, byte, short, long, octal, single] of inner.matchAll(ESCAPE)) {
    if (byte ?? octal) bytes.push(byte ? Number.parseInt(byte, 16) : byteOf(octal!))
    else if (short ?? long) bytes.push(...encoder.encode(point(Number.parseInt((short ?? long)!, 16))))
    else if (piece[0] === '\\') bytes.push(...encoder.encode(escaped(single!, text[0]!)))
    else bytes.push(...encoder.encode(piece))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

const ESCAPE = /\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([0-7]{3})|\\([\s\S])|[^\\]+/g
const encoder = new TextEncoder()
const INVALID_POINT = 'escape sequence is an invalid Unicode code point'

function byteOf(octal: string): number {
  const value = Number.parseInt(octal, 8)
  if (value > 255) throw new SyntaxError(INVALID_POINT)
  return value
}

function point(value: number): string {
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) throw new SyntaxError(INVALID_POINT)
  return String.fromCodePoint(value)
}

function escaped(letter: string, quote: string): string {
  const plain = letter === '"' || letter === "'" ? (letter === quote ? letter : undefined) : ESCAPES[letter]
  if (plain === undefined) throw new SyntaxError(`unknown escape sequence ${goUnicode(letter)}`)
  return plain
}

const goUnicode = (c: string): string =>
  `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${c}'`
