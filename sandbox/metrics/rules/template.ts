import { EPOCH_MS, type Us } from '../../world/time.ts'
import { template as replacement } from '../promql/label-functions.ts'
import { durationMs } from '../promql/literals.ts'
import type { Labels } from '../querier.ts'
import { translate, unanchored } from '../tsdb/regexp.ts'
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  plain,
  printf,
} from './humanize.ts'
import { type Action, parseTemplate, TemplateError, type Term } from './template-parser.ts'

export { TemplateError } from './template-parser.ts'

/** What an alert's templates can say. */
export interface TemplateData {
  readonly labels: Labels
  readonly externalLabels: Labels
  readonly externalUrl: string
  readonly value: number
  readonly at: Us
}

type Value = string | number | Labels
type TemplateFunction = (args: readonly Value[], data: TemplateData) => Value

/**
 * Functions of templates. Those of Prometheus that query, or write HTML, are refused by name. Follows template/template.go.
 */
const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  humanize: ([v]) => humanize(number(v)),
  humanize1024: ([v]) => humanize1024(number(v)),
  humanizeDuration: ([v]) => humanizeDuration(number(v)),
  humanizePercentage: ([v]) => humanizePercentage(number(v)),
  humanizeTimestamp: ([v]) => humanizeTimestamp(number(v)),
  toUpper: ([v]) => text(v).toUpperCase(),
  toLower: ([v]) => text(v).toLowerCase(),
  title: ([v]) => text(v).replace(/(^|[^\p{L}\p{N}'])(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase()),
  stripPort: ([v]) => text(v).replace(/^(?:\[([^\]]*)\]|([^:[\]]*)):[^:]*$/, '$1$2'),
  match: ([pattern, v]) => String(unanchored(text(pattern)).test(text(v))),
  reReplaceAll: ([pattern, into, v]) => {
    const expand = replacement(text(into))
    const regexp = new RegExp(translate(text(pattern)), 'gu')
    return text(v).replace(regexp, (...args) => expand(asMatch(args)))
  },
  parseDuration: ([v]) => (text(v).startsWith('-') ? -1 : 1) * (durationMs(text(v).replace(/^-/, '')) / 1e3),
  now: (_, { at }) => (EPOCH_MS + Math.floor(at / 1e3)) / 1e3,
  externalURL: (_, { externalUrl }) => externalUrl,
  printf: ([format, ...args]) =>
    printf(
      text(format),
      args.map((arg) => (typeof arg === 'object' ? plain(arg) : arg)),
    ),
  print: (args) => args.map(plain).join(''),
  index: ([map, key]) => (map as Labels)[text(key)] ?? '',
}

/** Throws a `TemplateError` when `expandTemplate` would not know what a template says. */
export function checkTemplate(source: string): void {
  for (const part of parseTemplate(source)) if (typeof part !== 'string') checkAction(part)
}

/** The text of a template. Throws a `TemplateError`. */
export function expandTemplate(source: string, data: TemplateData): string {
  return parseTemplate(source)
    .map((part) => (typeof part === 'string' ? part : plain(run(part, data))))
    .join('')
}

function checkAction(action: Action): void {
  for (const [first, ...args] of action) {
    if (first!.kind === 'name' && !FUNCTIONS[first!.name])
      throw new TemplateError(
        `the template function "${first!.name}" is not one Seatrial evaluates; use one of ${Object.keys(FUNCTIONS).join(', ')}`,
        true,
      )
    for (const term of [first!, ...args]) if (term.kind === 'group') checkAction(term.action)
  }
}

/** Each command gets the value of the one before it as its last argument. */
function run(action: Action, data: TemplateData): Value {
  let value: Value | undefined
  for (const [first, ...rest] of action) {
    const args = rest.map((term) => valueAt(term, data))
    if (first!.kind !== 'name') {
      if (args.length > 0 || value !== undefined) throw new TemplateError('can’t give argument to non-function')
      value = valueAt(first!, data)
      continue
    }
    const apply = FUNCTIONS[first!.name]
    if (!apply) throw new TemplateError(`function "${first!.name}" not defined`)
    value = apply(value === undefined ? args : [...args, value], data)
  }
  return value!
}

function valueAt(term: Term, data: TemplateData): Value {
  if (term.kind === 'literal') return term.value
  if (term.kind === 'group') return run(term.action, data)
  if (term.kind === 'name') return run([[term]], data)
  const [root, ...fields] = term.path
  const value: Value =
    root === 'labels'
      ? data.labels
      : root === 'externalLabels'
        ? data.externalLabels
        : root === 'value'
          ? data.value
          : data.externalUrl
  if (fields.length === 0) return value
  if (typeof value !== 'object' || fields.length > 1) throw new TemplateError(`can't evaluate field ${fields.at(-1)}`)
  return value[fields[0]!] ?? ''
}

/** Follows ConvertToFloat of prometheus/common helpers/templates. */
function number(value: Value | undefined): number {
  if (typeof value === 'number') return value
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (typeof value === 'string' && (/^nan$/i.test(value) || !Number.isNaN(parsed))) return parsed
  throw new TemplateError(`can't convert ${plain(value ?? '')} to float`)
}

const text = (value: Value | undefined): string => plain(value ?? '')

/** What String.replace gives its callback, as a match. */
function asMatch(args: readonly unknown[]): RegExpExecArray {
  const groups = typeof args.at(-1) === 'object' ? (args.at(-1) as Record<string, string>) : undefined
  const captures = args.slice(0, groups ? -3 : -2) as string[]
  return Object.assign(captures, { index: 0, input: '', groups }) as unknown as RegExpExecArray
}
