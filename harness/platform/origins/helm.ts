import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Position } from '../errors.ts'
import { locate } from '../locate.ts'
import { type FieldPath, formatPath } from '../path.ts'
import type { HelmSources, Manifest } from '../platform.ts'
import { documentsOf, shownName, textOf } from './files.ts'
import { type ScannedField, scanTemplate, valuePaths } from './scan.ts'
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
  const documents = scanTemplate(text)
  const likely = documents.filter((fields) => mayBe(fields, manifest))
  const file = shownName(sources.template, sources.cwd)
  for (const fields of likely) {
    const found = inFields(fields, { wanted, file, sources, depth: 0 })
    if (found) return found
  }
  return undefined
}

interface Search {
  readonly wanted: readonly NamedStep[]
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
  const whole = fields.find(
    (field) => !field.inserted && matches(field, wanted) === wanted.length && field.path.length === wanted.length,
  )
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

/** How many steps of the field's path are the wanted ones; fewer than it has when it leads elsewhere. */
function matches({ path }: ScannedField, wanted: readonly NamedStep[]): number {
  const differs = path.findIndex((step, i) => !sameStep(step, wanted[i]))
  return differs < 0 ? path.length : differs
}

/** The value of a file of values, or the setting on the command line, that an expression refers to. */
function setBehind(
  field: ScannedField,
  rest: readonly NamedStep[],
  at: Position,
  { sources }: Search,
): Written | undefined {
  for (const keys of valuePaths(field.value, field.dot)) {
    const name = formatPath(keys)
    const set = sources.set.find(
      (setting) => setting.startsWith(`${keys.join('.')}=`) || setting.includes(`,${keys.join('.')}=`),
    )
    if (set && sources.command) return { ...sources.command, via: `--set ${set}, through ${at.file}:${at.line}` }
    for (const { file, under } of sources.values) {
      const shown = shownName(file, sources.cwd)
      const [parsed] = documentsOf(file, shown)
      const path = parsed && plainPath(parsed.value, [...under, ...keys, ...rest])
      if (!parsed || !path) continue
      const { line, column } = locate(parsed, path)
      return { file: shown, line, column, via: `${formatPath(path) || name}, through ${at.file}:${at.line}` }
    }
  }
  return undefined
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
