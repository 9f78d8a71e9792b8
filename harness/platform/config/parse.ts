import { z } from 'zod'
import { PlatformError, type Position } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { locate } from '../locate.ts'
import { type FieldPath, formatPath, valueAt } from '../path.ts'
import type { TextFile } from '../read.ts'
import { suggest } from '../suggest.ts'
import { type ParsedValue, toValue } from '../value.ts'
import { parseYaml } from '../yaml.ts'
import type { SeatrialConfig } from './config.ts'
import { configSchema } from './schema.ts'

/** Reads `seatrial.yaml`. Errors are collected, each with the place of the setting it is about. */
export function parseConfig(file: TextFile, limits: Limits): { config?: SeatrialConfig; errors: PlatformError[] } {
  const { source, documents, errors } = parseYaml(file.file, file.text, limits)
  if (errors.length > 0) return { errors: [...errors] }
  const second = documents.slice(1).find(({ contents }) => contents)
  if (second) return { errors: [severalDocuments(source.at(second.range[0]))] }
  let parsed: ParsedValue
  try {
    parsed = toValue((documents[0]?.contents ?? null) as Parameters<typeof toValue>[0], source, limits)
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    return { errors: [error] }
  }
  const result = configSchema.safeParse(parsed.value ?? {})
  if (result.success) return { config: { ...result.data, parsed }, errors: [] }
  return { errors: result.error.issues.flatMap((issue) => errorsOf(issue, parsed)) }
}

const severalDocuments = (at: Position): PlatformError =>
  new PlatformError('BAD_CONFIG', 'more than one document', {
    why: 'The settings of a second document would be passed over.',
    fix: 'Put all settings into one document, without --- between them.',
    at,
  })

function errorsOf(issue: z.core.$ZodIssue, parsed: ParsedValue): PlatformError[] {
  const path = writtenPath(issue, parsed)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(parsed, path, key))
  const position = locate(parsed, path)
  const field = formatPath(path)
  const what = issue.code === 'custom' && !position.absent ? issue.message : messageOf(issue, position.absent)
  return [
    new PlatformError('BAD_CONFIG', field === '' ? what : `${field}: ${what}`, {
      why: 'seatrial.yaml is read strictly, so that a slip is not taken for a default.',
      fix: position.absent ? `Add ${field}.` : 'Correct the value, or remove the setting to use the default.',
      at: position,
    }),
  ]
}

/** What is written short (a command alone for `{ run: … }`) has no such field: the issue is with the whole. */
function writtenPath(issue: z.core.$ZodIssue, parsed: ParsedValue): FieldPath {
  const path = issue.path as FieldPath
  const parent = valueAt(parsed.value, path.slice(0, -1))
  return issue.code === 'custom' && (typeof parent === 'string' || (Array.isArray(parent) && path.at(-1) === 'run'))
    ? path.slice(0, -1)
    : path
}

function messageOf(issue: z.core.$ZodIssue, absent: true | undefined): string {
  if (absent) return 'is required'
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}`
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
}

const NAMES: Record<string, string> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}
const article = (type: string): string => NAMES[type] ?? type

function unknownKey(parsed: ParsedValue, path: FieldPath, key: string): PlatformError {
  const known = Object.keys(shapeAt(path))
  const near = suggest(key, known)
  const position = locate(parsed, [...path, key])
  return new PlatformError('BAD_CONFIG', `unknown setting "${formatPath([...path, key])}"`, {
    why: 'seatrial.yaml is read strictly, so that a slip is not taken for a default.',
    fix: near ? `Did you mean "${near}"?` : `Remove it. Settings here: ${known.join(', ')}.`,
    at: position.key ?? position,
  })
}

/** The settings known at a path of the configuration. */
function shapeAt(path: FieldPath): Record<string, unknown> {
  let schema: unknown = configSchema
  for (const part of path) {
    const here = unwrap(schema)
    if (here instanceof z.ZodObject) schema = here.shape[part]
    else if (here instanceof z.ZodRecord) schema = here.valueType
    else if (here instanceof z.ZodArray) schema = here.element
  }
  const last = unwrap(schema)
  return last instanceof z.ZodObject ? last.shape : {}
}

function unwrap(schema: unknown): unknown {
  let inner = schema
  while (true) {
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap()
    else if (inner instanceof z.ZodPipe && !(inner.out instanceof z.ZodTransform)) inner = inner.out
    else return inner
  }
}
