import { resolve } from 'node:path'
import { locate } from '../locate.ts'
import type { FieldPath } from '../path.ts'
import type { KustomizeSources, Manifest } from '../platform.ts'
import { isMap } from '../roles/pod-templates.ts'
import type { ParsedValue } from '../value.ts'
import { documentsOf, shownName, valuesIn } from './files.ts'
import { generatedBy } from './generators.ts'
import { entries, type Kustomization, kustomizationsFrom } from './kustomizations.ts'
import { type NamedStep, namedSteps, plainPath } from './steps.ts'
import type { Written } from './written.ts'

/** Where a field of a built object is set: by a patch, `replicas` or `images` of a kustomization, the outermost first, or in the resource. */
export function kustomizePosition(manifest: Manifest, path: FieldPath, sources: KustomizeSources): Written | undefined {
  const wanted = namedSteps(manifest, path)
  const kustomizations = kustomizationsFrom(sources.root, sources.cwd)
  const search = { manifest, wanted, cwd: sources.cwd }
  for (const one of kustomizations) {
    const found = setBy(one, search) ?? (isIdentity(path) ? undefined : patchedBy(one, search))
    if (found) return found
  }
  if (!sources.resource)
    for (const one of kustomizations) {
      const found = generatedBy(one, { manifest, path, cwd: sources.cwd })
      if (found) return found
    }
  const resources = sources.resource
    ? [sources.resource]
    : kustomizations.flatMap(({ folder, fields }) => entries(fields).map((entry) => resolve(folder, entry)))
  for (const file of resources) {
    const found = inDocuments(documentsOf(file, shownName(file, sources.cwd)), search)
    if (found) return found
  }
  return undefined
}

/** Patches repeat what they are for; it is set by the resource. */
const isIdentity = (path: FieldPath): boolean =>
  /^(apiVersion|kind|metadata|metadata\.(name|namespace))?$/.test(path.join('.'))

interface Search {
  readonly manifest: Manifest
  readonly wanted: readonly NamedStep[]
  readonly cwd: string
}

/** Kustomize may have put something before and behind a name: `prod-chat-v2` was made from `chat`. */
const isSameName = (written: unknown, built: string): boolean =>
  typeof written === 'string' && written !== '' && built.includes(written)

function inDocuments(
  documents: readonly ParsedValue[],
  { manifest, wanted }: Search,
  whole = true,
): Written | undefined {
  for (const parsed of documents) {
    const { value } = parsed
    if (!isMap(value) || !isMap(value['metadata']) || value['kind'] !== manifest.kind) continue
    if (!isSameName(value['metadata']['name'], manifest.metadata.name)) continue
    const path = plainPath(value, wanted)
    if (!path || (!whole && path.length === 0)) continue
    const { file, line, column } = locate(parsed, path)
    return { file, line, column }
  }
  return undefined
}

/** `replicas:` and `images:` of a kustomization. */
function setBy({ parsed, fields }: Kustomization, { manifest, wanted }: Search): Written | undefined {
  const last = wanted.at(-1)
  const at = (path: FieldPath) => {
    const { file, line, column } = locate(parsed, path)
    return { file, line, column }
  }
  const list = (field: string): readonly unknown[] => (Array.isArray(fields[field]) ? fields[field] : [])
  if (last === 'replicas' && wanted.length === 2) {
    const i = list('replicas').findIndex((one) => isMap(one) && isSameName(one['name'], manifest.metadata.name))
    return i < 0 ? undefined : at(['replicas', i, 'count'])
  }
  if (last !== 'image') return undefined
  const image = valueAtSteps(manifest, wanted)
  const i = list('images').findIndex((one) => isMap(one) && isImage(one, String(image)))
  if (i < 0) return undefined
  const one = list('images')[i] as Record<string, unknown>
  return at(['images', i, ['newTag', 'digest', 'newName'].find((field) => field in one) ?? 'name'])
}

function isImage(setting: Readonly<Record<string, unknown>>, image: string): boolean {
  const name = setting['newName'] ?? setting['name']
  return typeof name === 'string' && (image === name || image.startsWith(`${name}:`) || image.startsWith(`${name}@`))
}

const valueAtSteps = (manifest: Manifest, wanted: readonly NamedStep[]): unknown =>
  wanted.reduce<unknown>(
    (node, step) =>
      (node as Record<string | number, unknown> | undefined)?.[typeof step === 'string' ? step : step.index],
    manifest,
  )

/** The last patch that sets the field counts. */
function patchedBy(one: Kustomization, search: Search): Written | undefined {
  const { folder, file, parsed, fields } = one
  const lists = ['patches', 'patchesStrategicMerge', 'patchesJson6902'].flatMap((field) => {
    const list = fields[field]
    return Array.isArray(list) ? list.map((patch, i) => ({ patch, path: [field, i] as FieldPath })) : []
  })
  for (const { patch, path } of lists.reverse()) {
    const named = typeof patch === 'string' && !patch.includes('\n') ? patch : isMap(patch) ? patch['path'] : undefined
    const inline = isMap(patch) ? patch['patch'] : typeof patch === 'string' ? patch : undefined
    const shown =
      typeof named === 'string' ? shownName(resolve(folder, named), search.cwd) : shownName(file, search.cwd)
    const documents =
      typeof named === 'string'
        ? documentsOf(resolve(folder, named), shown)
        : typeof inline === 'string'
          ? valuesIn(inline, shown)
          : []
    const target = isMap(patch) && isMap(patch['target']) ? patch['target'] : undefined
    const found = inDocuments(documents, search, false) ?? inOperations(documents, search, target)
    if (!found) continue
    if (typeof named === 'string') return found
    const { line } = locate(parsed, isMap(patch) ? [...path, 'patch'] : path)
    // the text of an inline patch begins on the line after its `|-`, further in
    const indent = /^ */.exec(parsed.source.text.split('\n')[line] ?? '')![0].length
    return { file: shown, line: line + found.line, column: indent + found.column }
  }
  return undefined
}

/** JSON patches: `{ op: replace, path: /spec/replicas, value: 3 }`. */
function inOperations(
  documents: readonly ParsedValue[],
  { manifest, wanted }: Search,
  target: Readonly<Record<string, unknown>> | undefined,
): Written | undefined {
  if (target?.['kind'] !== undefined && target['kind'] !== manifest.kind) return undefined
  if (target?.['name'] !== undefined && !isSameName(target['name'], manifest.metadata.name)) return undefined
  for (const parsed of documents) {
    if (!Array.isArray(parsed.value)) continue
    for (const [i, operation] of [...parsed.value.entries()].reverse()) {
      if (!isMap(operation) || typeof operation['path'] !== 'string' || operation['op'] === 'remove') continue
      const steps = operation['path']
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      const leads = steps.every((part, n) => {
        const step = wanted[n]
        return typeof step === 'string' ? step === part : step !== undefined && String(step.index) === part
      })
      const inner = leads ? plainPath(operation['value'], wanted.slice(steps.length)) : undefined
      if (!inner) continue
      const { file, line, column } = locate(parsed, [i, 'value', ...inner])
      return { file, line, column }
    }
  }
  return undefined
}
