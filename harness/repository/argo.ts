import type { Manifest } from '../platform/platform.ts'
import { isMap } from '../platform/roles/pod-templates.ts'
import { type DeployedSource, mapAt } from './deployed-source.ts'

/**
 * What an Argo CD Application or ApplicationSet deploys, by `argoproj.io/v1alpha1`. Of an ApplicationSet the generators `list` and `git` (directories) are
 * followed; `foldersLike` gives the folders a pattern of them matches.
 */
export function argoSources(manifest: Manifest, foldersLike: (pattern: string) => string[]): DeployedSource[] {
  const { kind, metadata } = manifest
  if (kind === 'Application') return applicationSources(mapAt(manifest, 'spec'), metadata.name)
  if (kind !== 'ApplicationSet') return []
  const template = mapAt(manifest, 'spec', 'template')
  const parameters = parametersOf(mapAt(manifest, 'spec')['generators'], foldersLike)
  const filled = parameters.map((values) => fill(template, values)).filter(isMap)
  return (filled.length > 0 ? filled : [template]).flatMap((one) =>
    applicationSources(mapAt(one, 'spec'), String(mapAt(one, 'metadata')['name'] ?? metadata.name)),
  )
}

function applicationSources(spec: Readonly<Record<string, unknown>>, name: string): DeployedSource[] {
  const several = Array.isArray(spec['sources']) ? spec['sources'].filter(isMap) : []
  const sources = isMap(spec['source']) ? [spec['source'], ...several] : several
  const namespace = mapAt(spec, 'destination')['namespace']
  return sources
    .filter((source) => source['chart'] !== undefined || source['path'] !== undefined)
    .map((source): DeployedSource => {
      const helm = mapAt(source, 'helm')
      const files = Array.isArray(helm['valueFiles']) ? helm['valueFiles'].map(String) : []
      const parameters = Array.isArray(helm['parameters']) ? helm['parameters'].filter(isMap) : []
      const { chart, path, repoURL, targetRevision } = source
      return {
        ...(chart === undefined
          ? { path: String(path) }
          : {
              remote: `chart ${String(chart)} ${String(targetRevision ?? '')} of ${String(repoURL)}`.replace(
                / {2,}/,
                ' ',
              ),
            }),
        release: String(helm['releaseName'] ?? name),
        ...(typeof namespace === 'string' ? { namespace } : {}),
        // `$ref/…` is a file of another source
        valueFiles: files.filter((file) => !file.startsWith('$')),
        set: parameters.map(({ name: key, value }) => `${String(key)}=${String(value)}`),
        lost: [
          ...(helm['values'] !== undefined || helm['valuesObject'] !== undefined ? ['helm values'] : []),
          ...(source['kustomize'] === undefined ? [] : ['kustomize settings']),
          ...(source['plugin'] === undefined ? [] : ['plugin']),
        ],
      }
    })
}

/** One set of values for each Application the generators make, as far as they are followed. */
function parametersOf(generators: unknown, foldersLike: (pattern: string) => string[]): Record<string, unknown>[] {
  if (!Array.isArray(generators)) return []
  return generators.filter(isMap).flatMap((generator): Record<string, unknown>[] => {
    const elements = mapAt(generator, 'list')['elements']
    if (Array.isArray(elements)) return elements.filter(isMap)
    const directories = mapAt(generator, 'git')['directories']
    if (!Array.isArray(directories)) return []
    const all = directories.filter(isMap)
    const left = new Set(
      all.filter((one) => one['exclude'] === true).flatMap((one) => foldersLike(String(one['path']))),
    )
    return all
      .filter((one) => one['exclude'] !== true)
      .flatMap((one) => foldersLike(String(one['path'])))
      .filter((path) => !left.has(path))
      .map((path) => {
        const basename = path.split('/').at(-1)!
        return { path, 'path.basename': basename, 'path.path': path }
      })
  })
}

/** `{{path}}`, `{{ .path.basename }}` in the texts of a template. */
function fill(node: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (typeof node === 'string')
    return node.replaceAll(/\{\{-?\s*\.?([\w.-]+)\s*-?\}\}/g, (whole, name: string) => {
      const value = values[name]
      return value === undefined || isMap(value) ? whole : String(value)
    })
  if (Array.isArray(node)) return node.map((item) => fill(item, values))
  if (!isMap(node)) return node
  return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, fill(item, values)]))
}
