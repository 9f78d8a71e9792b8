import type { FieldPath } from '../path.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { isMap, type PodTemplate, podTemplatesOf } from './pod-templates.ts'

/** A text that a workload's containers are given: an argument, a variable, a file of a ConfigMap. */
export interface GivenText {
  readonly object: PlatformObject
  readonly path: FieldPath
  readonly text: string
  /** The flag or the variable it is the value of. */
  readonly name?: string
}

/** Everything a workload's pods are told in its manifest and in the ConfigMaps it refers to. */
export function textsOf(platform: Platform, object: PlatformObject): GivenText[] {
  return podTemplatesOf(object).flatMap((template) => [
    ...ownTexts(object, template),
    ...[...configMapNames(template)].flatMap((name) => mapTexts(platform, namespaceOf(object), name)),
  ])
}

function ownTexts(object: PlatformObject, { spec, path }: PodTemplate): GivenText[] {
  return spec.containers.flatMap((container, c) => {
    const at = [...path, 'containers', c]
    const words = (['command', 'args'] as const).flatMap((field) =>
      (container[field] ?? []).map((text, i) => {
        const before = container[field]?.[i - 1]
        const inline = /^(--?[\w-]+)=/s.exec(String(text))?.[1]
        const name = inline ?? (before?.startsWith('-') && !before.includes('=') ? before : undefined)
        const value = inline ? String(text).slice(inline.length + 1) : String(text)
        return { object, path: [...at, field, i], text: value, ...(name ? { name } : {}) }
      }),
    )
    const variables = (container.env ?? []).flatMap(({ name, value }, i) =>
      value ? [{ object, path: [...at, 'env', i, 'value'], text: String(value), name }] : [],
    )
    return [...words, ...variables]
  })
}

/** ConfigMaps a pod mounts, takes variables from, or takes one variable's value from. */
function configMapNames({ spec }: PodTemplate): Set<string> {
  const names = new Set<string>()
  const add = (reference: unknown) => {
    if (isMap(reference) && typeof reference['name'] === 'string') names.add(reference['name'])
  }
  for (const volume of spec.volumes ?? []) {
    add(volume['configMap'])
    const projected = volume['projected']
    const sources = isMap(projected) && Array.isArray(projected['sources']) ? (projected['sources'] as unknown[]) : []
    for (const source of sources) if (isMap(source)) add(source['configMap'])
  }
  for (const { env = [], envFrom = [] } of spec.containers) {
    for (const source of envFrom) add((source as Record<string, unknown>)['configMapRef'])
    for (const { valueFrom } of env) if (isMap(valueFrom)) add(valueFrom['configMapKeyRef'])
  }
  return names
}

const mapTexts = (platform: Platform, namespace: string, name: string): GivenText[] =>
  platform.objects
    .filter((o) => o.manifest.kind === 'ConfigMap' && o.manifest.metadata.name === name && namespaceOf(o) === namespace)
    .flatMap((object) =>
      Object.entries((object.manifest['data'] ?? {}) as Record<string, unknown>).map(([key, text]) => ({
        object,
        path: ['data', key],
        text: String(text),
        name: key,
      })),
    )
