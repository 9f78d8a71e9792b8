import type { VllmFlag } from '../../../fixtures/vllm/index.ts'

/** A value that argparse refuses; the message is what follows `argument NAME: `. */
export class ValueRefused extends Error {}

const TYPE_NAMES: Record<string, string> = {
  int: 'int',
  float: 'float',
  'human-int': 'human_readable_int',
  'human-int-or-auto': 'human_readable_int_or_auto',
}

/** Reads one value as the flag's type does, and holds it against the choices. Throws ValueRefused. */
export function readValue(flag: VllmFlag, text: string): unknown {
  const value = convert(flag.type ?? 'str', text)
  if (flag.choices && !(flag.type?.endsWith('?') && value === undefined) && !flag.choices.includes(value as never))
    throw new ValueRefused(
      `invalid choice: ${pythonRepr(text)} (choose from ${flag.choices.map(pythonStr).join(', ')})`,
    )
  return value
}

function convert(type: string, text: string): unknown {
  if (type.endsWith('?')) return text === '' || text === 'None' ? undefined : wrapped(type.slice(0, -1), text)
  const converter = CONVERTERS[type]
  if (!converter) return text
  const value = converter(text)
  if (value !== undefined) return value
  const name = TYPE_NAMES[type]
  throw new ValueRefused(name ? `invalid ${name} value: ${pythonRepr(text)}` : notJson(text))
}

/** `parse_type` turns a ValueError into a message of its own. */
function wrapped(type: string, text: string): unknown {
  const converter = CONVERTERS[type]
  if (!converter) return text
  const value = converter(text)
  if (value !== undefined) return value
  throw new ValueRefused(type === 'json' ? notJson(text) : `Value ${text} cannot be converted to <class '${type}'>.`)
}

const notJson = (text: string) => `Value ${text} cannot be converted to <function loads at 0x7f0000000000>.`

const CONVERTERS: Record<string, (text: string) => unknown> = {
  int: pythonInt,
  float: pythonFloat,
  json: parseJson,
  'json-or-str': (text) => (/^\s*\{[\s\S]*\}\s*$/.test(text) ? parseJson(text) : text),
  'human-int': humanInt,
  'human-int-or-auto': (text) => (/^(-1|auto)$/i.test(text.trim()) ? -1 : humanInt(text)),
}

function pythonInt(text: string): number | undefined {
  return /^\s*[-+]?\d+(_\d+)*\s*$/.test(text) ? Number(text.replaceAll('_', '')) : undefined
}

function pythonFloat(text: string): number | undefined {
  const trimmed = text.trim().replaceAll(/(\d)_(\d)/g, '$1$2')
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed)) return Number(trimmed)
  if (/^[-+]?inf(inity)?$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity
  return /^[-+]?nan$/i.test(trimmed) ? Number.NaN : undefined
}

const MULTIPLIERS: Record<string, number> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
}

/** `1k` is 1000, `1K` 1024, `25.6k` 25600; a fraction with a binary suffix is refused. */
// follows vllm/utils/argparse_utils.py human_readable_int
export function humanInt(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kKmMgGtT])$/.exec(text.trim())
  if (!match) return pythonInt(text)
  const [, number, suffix] = match as unknown as [string, string, string]
  if (/[KMGT]/.test(suffix) && number.includes('.'))
    throw new ValueRefused(
      `Decimals are not allowed with binary suffixes like ${suffix}. Did you mean to use ${number}${suffix.toLowerCase()} instead?`,
    )
  return Math.trunc(Number(number) * MULTIPLIERS[suffix]!)
}

/** JSON, with bare `80m` read as a number as vLLM's config arguments allow. */
function parseJson(text: string): unknown {
  try {
    const pieces = text.split(/("(?:[^"\\]|\\.)*")/)
    const expanded = pieces.map((piece, i) =>
      i % 2 === 1 ? piece : piece.replace(/\b\d+(?:\.\d+)?[kKmMgGtT]\b/g, (n) => String(humanInt(n))),
    )
    return JSON.parse(expanded.join(''))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A string as Python's repr() writes it. */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote
}

const pythonStr = (value: unknown): string =>
  value === null ? 'None' : value === true ? 'True' : value === false ? 'False' : String(value)

/** A JSON value as Python's repr() writes it, for log lines. */
export function pythonValue(value: unknown): string {
  if (typeof value === 'string') return pythonRepr(value)
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([k, v]) => `${pythonRepr(k)}: ${pythonValue(v)}`)
      .join(', ')}}`
  return value === undefined ? 'None' : pythonStr(value)
}
