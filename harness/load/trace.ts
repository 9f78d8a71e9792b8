import type { Us } from '../../sandbox/world/time.ts'
import type { Prefix } from './prefix.ts'
import { badTrace, readLines } from './trace-lines.ts'
import type { TraceUse } from './workload.ts'

export type TraceFormat = TraceUse['format']

/** One request of a trace; `at` counts from its first. */
export interface TraceRow {
  readonly at: Us
  readonly promptTokens: number
  readonly outputTokens: number
  readonly prefix: Prefix | undefined
}

/** Tokens of one hash of Mooncake's traces: kvcache-ai/Mooncake, FAST25-release/traces. */
const MOONCAKE_BLOCK_TOKENS = 512

/** The format a file's name tells. */
export const formatOf = (file: string): TraceFormat | undefined =>
  /\.csv$/i.test(file) ? 'azure-csv' : /\.jsonl$/i.test(file) ? 'mooncake-jsonl' : undefined

/**
 * The requests of a trace in the order of time, read line by line. Throws a PlatformError with file, line and column at what cannot be read.
 * `azure-csv`: TIMESTAMP, ContextTokens, GeneratedTokens, as in Azure/AzurePublicDataset. `mooncake-jsonl`: timestamp in ms, input_length,
 * output_length, hash_ids of the prompt's blocks of 512 tokens.
 */
export function* readTrace(file: string, format: TraceFormat): Generator<TraceRow, void> {
  let first: number | undefined
  let last = 0
  for (const { line, ...row } of format === 'azure-csv' ? azureRows(file) : mooncakeRows(file)) {
    first ??= row.at
    const at = row.at - first
    if (at < last)
      throw badTrace('this request comes before the one on the line above', { file, line, column: row.column })
    last = at
    const { promptTokens, outputTokens, prefix } = row
    // a request of no tokens is still one: its prompt has a beginning, its answer an end
    yield { at, promptTokens: Math.max(1, promptTokens), outputTokens: Math.max(1, outputTokens), prefix }
  }
}

interface RawRow extends TraceRow {
  readonly line: number
  /** Of the time. */
  readonly column: number
}

const AZURE_FIELDS = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'] as const

function* azureRows(file: string): Generator<RawRow, void> {
  let fields: readonly number[] | undefined
  for (const { line, text } of readLines(file)) {
    if (text.trim() === '') continue
    const cells = text.split(',')
    if (!fields) {
      const names = cells.map((cell) => cell.replace(/^\ufeff/, '').trim())
      fields = AZURE_FIELDS.map((name) => names.indexOf(name))
      const missing = AZURE_FIELDS.filter((_, i) => fields![i]! < 0)
      if (missing.length > 0) throw badTrace(`the header has no ${missing.join(', ')}`, { file, line, column: 1 })
      continue
    }
    const [time, prompt, output] = fields as [number, number, number]
    const columnOf = (index: number) => cells.slice(0, index).join(',').length + (index > 0 ? 2 : 1)
    const fail = (index: number, what: string) =>
      badTrace(`not ${what}: ${(cells[index] ?? 'nothing').slice(0, 60)}`, { file, line, column: columnOf(index) })
    const at = timestampUs(cells[time] ?? '')
    if (Number.isNaN(at)) throw fail(time, 'a time like 2023-11-16 18:15:46.6805900')
    const tokens = (index: number) => {
      const number = /^\s*\d{1,9}\s*$/.test(cells[index] ?? '') ? Number(cells[index]) : Number.NaN
      if (Number.isNaN(number)) throw fail(index, 'a number of tokens')
      return number
    }
    yield {
      line,
      column: columnOf(time),
      at,
      promptTokens: tokens(prompt),
      outputTokens: tokens(output),
      prefix: undefined,
    }
  }
}

const TIMESTAMP = /^\s*(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?\s*$/

/** Microseconds since 1970; NaN when it is none. */
function timestampUs(text: string): number {
  const parts = TIMESTAMP.exec(text)
  if (!parts) return Number.NaN
  const [, year, month, day, hour, minute, second, fraction = ''] = parts
  const ms = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!)
  return ms * 1e3 + Math.round(Number(`0.${fraction || '0'}`) * 1e6)
}

function* mooncakeRows(file: string): Generator<RawRow, void> {
  for (const { line, text } of readLines(file)) {
    if (text.trim() === '') continue
    const row = parsedRow(file, line, text)
    const number = (name: string): number => {
      const value = row[name]
      if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
      throw badTrace(`${name} must be a number of 0 or more, not ${shown(value)}`, {
        file,
        line,
        column: columnOf(text, name),
      })
    }
    const ids = row['hash_ids']
    if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => Number.isSafeInteger(id) && id >= 0)))
      throw badTrace(`hash_ids must be a list of whole numbers, not ${shown(ids)}`, {
        file,
        line,
        column: columnOf(text, 'hash_ids'),
      })
    yield {
      line,
      column: columnOf(text, 'timestamp'),
      at: Math.round(number('timestamp') * 1e3),
      promptTokens: Math.round(number('input_length')),
      outputTokens: Math.round(number('output_length')),
      prefix: ids ? { kind: 'blocks', blockTokens: MOONCAKE_BLOCK_TOKENS, ids: ids as number[] } : undefined,
    }
  }
}

function parsedRow(file: string, line: number, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1]
    const column = Math.min(text.length, Number(position ?? 0)) + 1
    throw badTrace('this line is not JSON', { file, line, column })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badTrace(`a request is an object, not ${shown(value)}`, { file, line, column: 1 })
  return value as Record<string, unknown>
}

const columnOf = (text: string, name: string): number => Math.max(0, text.indexOf(`"${name}"`)) + 1
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60)
