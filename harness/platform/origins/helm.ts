import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Position } from '../errors.ts'
import { locate } from '../locate.ts'
import { type FieldPath, formatPath, valueAt } from '../path.ts'
import type { HelmSources, Manifest } from '../platform.ts'
import { documentsOf, shownName, textOf } from './files.ts'
import { ANY, type ScannedField, scanTemplate, valuePaths } from './scan.ts'
import { type NamedStep, namedSteps, plainPath, sameStep } from './steps.ts'
import type { Written } from './written.ts'

/** Helpers that call helpers are followed so far. */
const DEPTH_MAX = 6

/**
 * Where a field of a rendered object is set: the line of the template, or the value that line refers to. Undefined where the template does
 * not say it in words: it comes out of a loop's variable, a helper with logic of its own.
 */
export function helmPosition(manifest: Manifest, path: FieldPath, sources: HelmSources): Written | undefined {
  const text = textOf(sources.template)
  if (text === undefined) return undefined
  const wanted = namedSteps(manifest, path)
  const value = valueAt(manifest, path)
  const last = path.at(-1)
  const before = typeof last === 'number' ? valueAt(manifest, [...path.slice(0, -1), last - 1]) : undefined
  const documents = scanTemplate(text)
  const likely = documents.filter((fields) => mayBe(fields, manifest))
  const file = shownName(sources.template, sources.cwd)
  for (const fields of likely) {
    const found = inFields(fields, { manifest, wanted, value, before, file, sources, depth: 0 })
    if (found) return found
  }
  return undefined
}

interface Search {
  readonly manifest: Manifest
  readonly wanted: readonly NamedStep[]
  /** What stands there in the object. */
  readonly value: unknown
  /** What stands before it in its list. */
  readonly before: unknown
  /** The template, as the user would name it. */
  readonly file: string
  readonly sources: HelmSources
  readonly depth: number
}

/** Whether a document of the template can come out as the object, by kind and name where it spells them. */
function mayBe(fields: readonly ScannedField[], { kind, metadata }: Manifest): boolean {
  const says = (text: string | undefined, value: string) =>
    text === undefined || text.includes('{{') || text.replace(/^(["'])(.*)\1$/, '$2') === value
  const top = (path: string) => fields.find((field) => !field.inserted && field.path.join('.') === path)?.value
  return fields.length > 0 && says(top('kind'), kind) && says(top('metadata.name'), metadata.name)
}

function inFields(fields: readonly ScannedField[], search: Search): Written | undefined {
  const { wanted, file } = search
  const whole =
    itemWithText(fields, search) ??
    fields.find(
      (field) => !field.inserted && matches(field, wanted) === wanted.length && field.path.length === wanted.length,
    ) ??
    fields.find((field) => hasTemplatedKey(field, wanted))
  if (whole) {
    const here = { file, line: whole.line, column: whole.column }
    return setBehind(whole, [], here, search) ?? here
  }
  // a value given as a whole: `resources: {{ toYaml .Values.resources }}`, the nearest first
  const inserted = fields
    .filter((field) => matches(field, wanted) === field.path.length && (field.inserted || field.value.includes('{{')))
    .sort((a, b) => b.path.length - a.path.length)
  for (const field of inserted) {
    const rest = wanted.slice(field.path.length)
    const at = { file, line: field.line, column: field.column }
    const found = included(field, rest, search) ?? setBehind(field, rest, at, search)
    if (found) return found
  }
  // `limits: { nvidia.com/gpu: 8 }` on one line
  const flow = fields.find(
    (field) => !field.inserted && /^[{[](?!\{)/.test(field.value) && matches(field, wanted) === field.path.length,
  )
  return flow && { file, line: flow.line, column: flow.column }
}

/**
 * The line of a list's item by what it says, where some items may be left out and others put in, so that their places tell nothing: `- --port` or
 * `- --port={{ .Values.port }}`.
 */
function itemWithText(fields: readonly ScannedField[], search: Search): ScannedField | undefined {
  const { wanted, value, before } = search
  const last = wanted.at(-1)
  if (typeof value !== 'string' || last === undefined || typeof last === 'string') return undefined
  const items = fields.filter(
    ({ path, inserted }) =>
      !inserted && path.length === wanted.length && path.slice(0, -1).every((step, i) => sameStep(step, wanted[i])),
  )
  const text = (field: ScannedField) => field.value.replace(/^(["'])(.*)\1$/, '$2')
  const begins = (field: ScannedField) => text(field).replace(/\{\{.*$/s, '')
  const here = (field: ScannedField) => ({ file: search.file, line: field.line, column: field.column })
  const templated = items.filter((field) => text(field).includes('{{'))
  return (
    items.find((field) => text(field) === value) ??
    templated.find((field) => begins(field) !== '' && value.startsWith(begins(field))) ??
    templated.find((field) => begins(field) === '' && valueBehind(field, [], here(field), search)?.text === value) ??
    templated.find(
      (field) => begins(field) === '' && field === items[items.findIndex((one) => text(one) === before) + 1],
    )
  )
}

/** `{{ $resource }}: 1` stands for a key nobody spells. */
const hasTemplatedKey = ({ path, inserted }: ScannedField, wanted: readonly NamedStep[]): boolean => {
  const last = path.at(-1)
  return (
    !inserted &&
    path.length === wanted.length &&
    typeof last === 'string' &&
    /^["']?\{\{/.test(last) &&
    path.slice(0, -1).every((step, i) => sameStep(step, wanted[i]))
  )
}

/** How many steps of the field's path are the wanted ones; fewer than it has when it leads elsewhere. */
function matches({ path }: ScannedField, wanted: readonly NamedStep[]): number {
  const differs = path.findIndex((step, i) => !sameStep(step, wanted[i]))
  return differs < 0 ? path.length : differs
}

/**
 * The value of a file of values, or the setting on the command line, that an expression refers to. Of several the one whose text is part of what came
 * out counts, and one that is set goes before one that is not.
 */
function setBehind(...asked: Parameters<typeof valueBehind>): Written | undefined {
  return valueBehind(...asked)?.written
}

interface Found {
  readonly written: Written
  /** Its text: empty for none, undefined for a map or a list, or where it is not in a file. */
  readonly text: string | undefined
}

function valueBehind(field: ScannedField, rest: readonly NamedStep[], at: Position, search: Search): Found | undefined {
  const { sources, value } = search
  const found: Found[] = []
  for (const keys of valuePaths(field.value, field.dot, field.variables)) {
    const set = sources.set.find(
      (setting) => setting.startsWith(`${keys.join('.')}=`) || setting.includes(`,${keys.join('.')}=`),
    )
    if (set && sources.command) {
      const via = `--set ${set}, through ${at.file}:${at.line}`
      return { written: { ...sources.command, via }, text: undefined }
    }
    const given = inValues(keys, rest, at, search)
    if (given) found.push(given)
  }
  const shown = typeof value === 'object' ? undefined : String(value)
  return (
    found.find(({ text }) => text !== undefined && text !== '' && shown?.includes(text)) ??
    found.find(({ text }) => text !== '') ??
    found[0]
  )
}

/** Where the files of values say it. */
function inValues(
  keys: readonly string[],
  rest: readonly NamedStep[],
  at: Position,
  { sources, manifest }: Search,
): Found | undefined {
  for (const { file, under } of sources.values) {
    const shown = shownName(file, sources.cwd)
    const [parsed] = documentsOf(file, shown)
    const chosen = parsed && chosenKeys(parsed.value, [...under, ...keys], manifest)
    const path = chosen && plainPath(parsed.value, [...chosen, ...rest])
    if (!parsed || !path) continue
    const { line, column } = locate(parsed, path)
    const value = valueAt(parsed.value, path)
    const text = value === null ? '' : typeof value === 'object' ? undefined : String(value)
    return { written: { file: shown, line, column, via: `${formatPath(path)}, through ${at.file}:${at.line}` }, text }
  }
  return undefined
}

/**
 * The keys with an item in the place of each `*`: the only one of a list, or the one whose name, or whose key in a map, is part of the object's
 * name. Undefined where that cannot be told.
 */
function chosenKeys(values: unknown, keys: readonly string[], { metadata }: Manifest): NamedStep[] | undefined {
  let node = values
  const path: NamedStep[] = []
  for (const key of keys) {
    const entries = node !== null && typeof node === 'object' ? Object.entries(node) : []
    if (key !== ANY) {
      path.push(key)
      node = entries.find(([one]) => one === key)?.[1]
      continue
    }
    const called = entries.filter(([one, item]) => {
      const name = Array.isArray(node) ? (item as { name?: unknown } | null)?.name : one
      return typeof name === 'string' && metadata.name.includes(name)
    })
    const [entry] = entries.length === 1 ? entries : called.sort(([a], [b]) => b.length - a.length)
    if (!entry) return undefined
    path.push(Array.isArray(node) ? { index: Number(entry[0]) } : entry[0])
    node = entry[1]
  }
  return path
}

/** What a helper of the chart writes at the place of an `include`. */
function included(field: ScannedField, rest: readonly NamedStep[], search: Search): Written | undefined {
  const helper = /\b(?:include|template)\s+"([^"]+)"/.exec(field.value)?.[1]
  if (helper === undefined || search.depth >= DEPTH_MAX) return undefined
  for (const path of templatesOf(search.sources)) {
    const body = helperIn(textOf(path) ?? '', helper)
    if (!body) continue
    const file = shownName(path, search.sources.cwd)
    const inner = { ...search, wanted: rest, file, depth: search.depth + 1 }
    for (const fields of scanTemplate(body.text, body.line)) {
      const found = inFields(fields, inner)
      if (found) return found
    }
  }
  return undefined
}

/** The text between a helper's `define` and its `end`. */
function helperIn(text: string, name: string): { text: string; line: number } | undefined {
  const lines = text.split('\n')
  const begin = lines.findIndex((line) => /\{\{-?\s*define\s+"([^"]+)"/.exec(line)?.[1] === name)
  if (begin < 0) return undefined
  let depth = 1
  for (let i = begin + 1; i < lines.length; i++) {
    for (const [, word] of lines[i]!.matchAll(/\{\{-?\s*(if|with|range|block|define|end)\b/g))
      depth += word === 'end' ? -1 : 1
    if (depth <= 0) return { text: lines.slice(begin + 1, i).join('\n'), line: begin + 2 }
  }
  return undefined
}

/** Helpers first, as they are usually there. */
function templatesOf({ chart }: HelmSources): string[] {
  const folder = join(chart, 'templates')
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
    return [...names.filter((name) => name.endsWith('.tpl')), ...names.filter((name) => /\.ya?ml$/.test(name))].map(
      (name) => join(folder, name),
    )
  } catch {
    return []
  }
}
