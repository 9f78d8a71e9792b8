import { floatRepr, pydanticFloat } from './text.ts'
import { PyFloat } from './value.ts'

/** What can be written as JSON. Whole numbers are ints, others floats; `PyFloat` makes a whole one a float. Undefined entries are left out. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | { readonly [key: string]: Json | undefined }

/** `json.dumps(value)`: a space after separators, other letters than ASCII escaped. */
export const dumps = (value: Json): string => write(value, SPACED)

/** `json.dumps(value, ensure_ascii=False)`: a space after separators, letters as they are. */
export const dumpsUnicode = (value: Json): string => write(value, SPACED_UNICODE)

/** As Starlette's JSONResponse writes bodies: compact, letters as they are. */
export const dumpsCompact = (value: Json): string => write(value, COMPACT)

/** As pydantic's `model_dump_json` writes: compact, floats in its own way, null for those that are none. */
export const dumpsPydantic = (value: Json): string => write(value, PYDANTIC)

interface Style {
  readonly item: string
  readonly key: string
  readonly float: (value: number) => string
  readonly text: (value: string) => string
}

function write(value: Json, style: Style): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return style.text(value)
  if (typeof value === 'number') return Number.isInteger(value) ? intText(value) : style.float(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof PyFloat) return style.float(value.value)
  if (Array.isArray(value)) return `[${value.map((item: Json) => write(item, style)).join(style.item)}]`
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const fields = entries.flatMap(([key, item]: [string, Json | undefined]) =>
    item === undefined ? [] : [`${style.text(key)}${style.key}${write(item, style)}`],
  )
  return `{${fields.join(style.item)}}`
}

const intText = (value: number): string => (Number.isSafeInteger(value) ? String(value + 0) : BigInt(value).toString())

function pythonFloat(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes just these.
const ESCAPED = /["\\\u0000-\u001f]/g

/** Lone surrogates stay as they are, as in Python. */
const unicodeText = (text: string): string => `"${text.replace(ESCAPED, escaped)}"`

const asciiText = (text: string): string => `"${text.replace(/["\\]|[^ -~]/g, escaped)}"`

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

const escaped = (char: string): string => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const SPACED: Style = { item: ', ', key: ': ', float: pythonFloat, text: asciiText }
const SPACED_UNICODE: Style = { ...SPACED, text: unicodeText }
const COMPACT: Style = { item: ',', key: ':', float: pythonFloat, text: unicodeText }
const PYDANTIC: Style = { ...COMPACT, float: pydanticFloat }
