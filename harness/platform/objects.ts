import { isScalar, type Node } from 'yaml'
import { PlatformError, type Position } from './errors.ts'
import { isKustomization } from './kustomization.ts'
import type { Limits } from './limits.ts'
import { locate } from './locate.ts'
import type { FieldPath } from './path.ts'
import type { Manifest, Note, Origin, PlatformObject, SchedulerFile } from './platform.ts'
import type { TextFile } from './read.ts'
import { type ParsedValue, toValue } from './value.ts'
import { parseYaml, type SourceText, templateLeft } from './yaml.ts'

export interface FoundObjects {
  readonly objects: PlatformObject[]
  readonly notes: Note[]
  readonly errors: PlatformError[]
  /** Kustomizations by file; they are read by `kustomization.ts`, not judged. */
  readonly kustomizations: Map<string, ParsedValue>
  readonly schedulers: SchedulerFile[]
}

/** API groups of files that configure a tool and are never sent to an API server. */
const TOOL_GROUPS =
  /^(kind\.x-k8s\.io|kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|kubeproxy\.config\.k8s\.io|kubescheduler\.config\.k8s\.io|apiserver\.config\.k8s\.io|audit\.k8s\.io|client\.authentication\.k8s\.io|skaffold|k3d\.io|ctlptl\.dev|chainsaw\.kyverno\.io|kuttl\.dev|config\.kubernetes\.io)\//

/** The Kubernetes objects in one file: documents, JSON, and the items of Lists. Everything else becomes a note. */
export function objectsIn({ file, text }: TextFile, limits: Limits, into: FoundObjects): void {
  const { source, documents, errors } = parseYaml(file, text, limits)
  into.errors.push(...errors)
  const skipped: string[] = []
  for (const document of documents) {
    try {
      const parsed = toValue(document.contents as Node | null, source, limits)
      if (isKustomization(file)) {
        into.kustomizations.set(file, parsed)
        continue
      }
      if (parsed.value === null) continue
      const origin = helmOrigin(source, document.range[0], parsed.root)
      const why = collect(parsed, [], parsed.value, origin, into)
      if (why) skipped.push(why)
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      into.errors.push(error)
    }
  }
  for (const message of new Set(skipped)) into.notes.push({ file, message })
}

/** Takes an object in, or says why it is none. */
function collect(
  parsed: ParsedValue,
  base: FieldPath,
  value: unknown,
  origin: Origin | undefined,
  into: FoundObjects,
): string | undefined {
  const at = locate(parsed, base)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    if (base.length > 0) throw notAnObject(at)
    rejectTemplate(parsed, at)
    return 'not a Kubernetes object (it is not a map), skipped'
  }
  const { apiVersion, kind } = value as Record<string, unknown>
  if (apiVersion === undefined || kind === undefined) {
    const looksLikeOne = 'metadata' in value || base.length > 0 || (kind !== undefined && 'spec' in value)
    if (!looksLikeOne) return 'not a Kubernetes object (no apiVersion and kind), skipped'
    throw missingKind(apiVersion === undefined ? 'apiVersion' : 'kind', at)
  }
  for (const [field, given] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (typeof given !== 'string' || given === '') throw wrongType(field, given, locate(parsed, [...base, field]))
  }
  return collectTyped(parsed, base, value as Manifest, origin, into)
}

function collectTyped(
  parsed: ParsedValue,
  base: FieldPath,
  manifest: Manifest,
  origin: Origin | undefined,
  into: FoundObjects,
): string | undefined {
  const { apiVersion, kind } = manifest
  if (apiVersion.startsWith('kustomize.config.k8s.io/')) {
    into.kustomizations.set(parsed.source.file, parsed)
    return undefined
  }
  if (kind === 'KubeSchedulerConfiguration') {
    into.schedulers.push({ value: manifest, parsed, base })
    return undefined
  }
  if (TOOL_GROUPS.test(apiVersion)) return `a ${kind} of ${apiVersion} configures a tool, skipped`
  if (apiVersion === 'v1' && kind === 'Config' && 'clusters' in manifest) return 'a kubeconfig, skipped'
  if (kind.endsWith('List') && 'items' in manifest && !('spec' in manifest)) {
    const items = manifest['items'] ?? []
    if (!Array.isArray(items)) throw wrongType('items', items, locate(parsed, [...base, 'items']), 'a list')
    items.forEach((item, i) => {
      try {
        collect(parsed, [...base, 'items', i], item, origin, into)
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error
        into.errors.push(error)
      }
    })
    return undefined
  }
  checkName(parsed, base, manifest)
  const { namespace, name, generateName } = manifest.metadata
  const id = [kind, ...(namespace ? [namespace] : []), name ?? `${generateName}*`].join('/')
  const from = kustomizeOrigin(manifest) ?? origin
  into.objects.push({ id, manifest, schema: 'unknown', parsed, base, ...(from ? { origin: from } : {}) })
  return undefined
}

function checkName(parsed: ParsedValue, base: FieldPath, manifest: Manifest): void {
  const { kind } = manifest
  const metadata: unknown = manifest.metadata
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw wrongType('metadata', metadata, locate(parsed, [...base, 'metadata']), 'a map')
  }
  const fields = (metadata ?? {}) as Record<string, unknown>
  for (const field of ['name', 'generateName', 'namespace']) {
    const given = fields[field] ?? undefined
    if (given !== undefined && typeof given !== 'string')
      throw wrongType(`metadata.${field}`, given, locate(parsed, [...base, 'metadata', field]))
  }
  if (fields['name'] || fields['generateName']) return
  throw new PlatformError('MISSING_NAME', `${kind} has no metadata.name`, {
    why: 'The API server refuses an object without a name.',
    fix: 'Add metadata.name.',
    at: locate(parsed, [...base, 'metadata', 'name']),
  })
}

/** Helm writes `# Source: chart/templates/x.yaml` above each rendered document. */
function helmOrigin(source: SourceText, documentStart: number, root: Node | null): Origin | undefined {
  const above = source.text.slice(documentStart, root?.range?.[0] ?? documentStart)
  const comment = /^# Source: (\S.*?)\s*$/m.exec(above)
  return comment ? { tool: 'helm', file: comment[1]! } : undefined
}

/** Kustomize notes it in an annotation, itself YAML: `path: base/deployment.yaml`. */
function kustomizeOrigin(manifest: Manifest): Origin | undefined {
  const note: unknown = manifest.metadata.annotations?.['config.kubernetes.io/origin']
  const path = typeof note === 'string' ? /^\s*path:\s*(\S.*?)\s*$/m.exec(note)?.[1] : undefined
  return path === undefined ? undefined : { tool: 'kustomize', file: path }
}

function rejectTemplate(parsed: ParsedValue, at: Position): void {
  if (isScalar(parsed.root) && typeof parsed.value === 'string' && /\{\{|\{%/.test(parsed.value)) {
    throw templateLeft(at, parsed.value.split('\n')[0]!)
  }
}

const missingKind = (field: string, at: Position): PlatformError =>
  new PlatformError('MISSING_KIND', `an object without ${field}`, {
    why: 'kubectl does not know which API an object without apiVersion and kind is for.',
    fix: `Add ${field} (for a Deployment: apiVersion: apps/v1, kind: Deployment).`,
    at,
  })

const notAnObject = (at: Position): PlatformError =>
  new PlatformError('NOT_AN_OBJECT', 'an item of the List is not an object', {
    why: 'Items of a List are Kubernetes objects: maps with apiVersion, kind and metadata.',
    fix: 'Remove the item or write the object out.',
    at,
  })

const wrongType = (field: string, given: unknown, at: Position, wanted = 'a string'): PlatformError =>
  new PlatformError('WRONG_TYPE', `${field} must be ${wanted}, not ${JSON.stringify(given)?.slice(0, 60)}`, {
    why: 'The API server could not decode the object.',
    fix:
      wanted === 'a string'
        ? 'Write a name; put it into quotes if it looks like a number or a boolean.'
        : `Give ${wanted}.`,
    at,
  })
