import { parseDuration, seconds, type Us } from '../../../world/time.ts'
import { KedaError } from '../errors.ts'
import { parseBool } from '../spec.ts'

/** Reads a trigger's metadata and collects what is wrong with it. */
// follows pkg/scalers/scalersconfig/typed_config.go
export class Metadata {
  private readonly given: Readonly<Record<string, string>>
  private readonly problems: string[] = []

  constructor(given: Readonly<Record<string, string>> | undefined) {
    this.given = given ?? {}
  }

  /** Undefined where it is absent or blank. */
  optional(name: string): string | undefined {
    return this.given[name]?.trim() || undefined
  }

  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined) this.problem(`missing required parameter "${name}" in [triggerMetadata]`)
    return value ?? ''
  }

  /** A JSON number; a missing one is a problem unless there is a fallback. */
  number(name: string, type: 'float64' | 'int64', fallback?: number): number {
    const text = fallback === undefined ? this.required(name) : this.optional(name)
    if (!text) return fallback ?? 0
    const wrong = whyNoNumber(text, type)
    if (wrong) this.unset(name, text, `unable to unmarshal to field type ${type}: ${wrong}`)
    return wrong || text === 'null' ? 0 : Number(text)
  }

  boolean(name: string, fallback: boolean): boolean {
    const text = this.optional(name)
    if (text === undefined) return fallback
    const value = parseBool(text)
    if (value === undefined) {
      const why = `strconv.ParseBool: parsing "${text}": invalid syntax`
      this.unset(name, text, `unable to parse boolean value "${text}": ${why}`)
    }
    return value ?? fallback
  }

  /** A Go duration, or a count of milliseconds. */
  duration(name: string): Us | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    if (/^\d+$/.test(text)) return seconds(Number(text) / 1000)
    try {
      return parseDuration(text)
    } catch {
      const rule = "must be either a duration string (e.g. '30s', '5m') or a number of milliseconds"
      this.unset(name, text, `unable to parse duration value "${text}": ${rule}`)
      return undefined
    }
  }

  problem(text: string): void {
    this.problems.push(text)
  }

  /** Throws a KedaError with all that was wrong. */
  finish(prefix: string): void {
    if (this.problems.length > 0) throw new KedaError(`${prefix}${this.problems.join('\n')}`)
  }

  private unset(name: string, text: string, why: string): void {
    this.problem(`unable to set param "${name}" value "${text}": ${why}`)
  }
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** As Go's encoding/json says it. */
function whyNoNumber(text: string, type: string): string | undefined {
  if (JSON_NUMBER.test(text)) {
    const fits = type === 'float64' ? Number.isFinite(Number(text)) : /^-?\d+$/.test(text)
    return fits ? undefined : `json: cannot unmarshal number ${text} into Go value of type ${type}`
  }
  const literal = LITERALS.find((word) => word[0] === text[0])
  if (literal) return whyNoLiteral(text, literal, type)
  const start = /^-?(0|[1-9]\d*)(\.\d+)?/.exec(text)?.[0]
  if (start === undefined) return `invalid character ${quoted(text[0]!)} looking for beginning of value`
  return `invalid character ${quoted(text[start.length]!)} after top-level value`
}

const LITERALS = ['true', 'false', 'null']

function whyNoLiteral(text: string, literal: string, type: string): string | undefined {
  const at = [...literal].findIndex((character, i) => text[i] !== character)
  if (at >= text.length) return 'unexpected end of JSON input'
  if (at >= 0) return `invalid character ${quoted(text[at]!)} in literal ${literal} (expecting ${quoted(literal[at]!)})`
  if (text.length > literal.length) return `invalid character ${quoted(text[literal.length]!)} after top-level value`
  return literal === 'null' ? undefined : `json: cannot unmarshal bool into Go value of type ${type}`
}

const quoted = (character: string): string => (character === "'" ? "'\\''" : `'${character}'`)
