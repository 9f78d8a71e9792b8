import { resolve } from 'node:path'
import { locate } from '../locate.ts'
import type { FieldPath } from '../path.ts'
import type { Manifest } from '../platform.ts'
import { isMap } from '../roles/pod-templates.ts'
import { shownName, textOf } from './files.ts'
import type { Kustomization } from './kustomizations.ts'
import type { Written } from './written.ts'

/**
 * Where a ConfigMap or Secret that a kustomization generates takes a value from: the line of a file of variables, a file, a literal; for all else of
 * it, the generator.
 */
export function generatedBy(
  { folder, file, parsed, fields }: Kustomization,
  { manifest, path, cwd }: { manifest: Manifest; path: FieldPath; cwd: string },
): Written | undefined {
  const field = GENERATORS[manifest.kind]
  const list = field && Array.isArray(fields[field]) ? (fields[field] as unknown[]) : []
  for (const [i, generator] of [...list.entries()].reverse()) {
    const name = isMap(generator) ? generator['name'] : undefined
    if (!isMap(generator) || typeof name !== 'string' || !isMadeFrom(name, manifest.metadata.name)) continue
    const at = (...rest: (string | number)[]): Written => {
      const { line, column } = locate(parsed, [field!, i, ...rest])
      return { file: shownName(file, cwd), line, column }
    }
    const key = path[0] === 'data' && typeof path[1] === 'string' ? path[1] : undefined
    if (key === undefined) return at()
    const literals = texts(generator['literals'])
    const literal = literals.findIndex((text) => text.startsWith(`${key}=`))
    if (literal >= 0) return at('literals', literal)
    for (const source of texts(generator['files'])) {
      const [named, target] = source.includes('=') ? source.split(/=(.*)/s) : [source.replace(/^.*\//, ''), source]
      if (named === key) return { file: shownName(resolve(folder, target!), cwd), line: 1, column: 1 }
    }
    for (const source of texts(generator['envs'])) {
      const lines = (textOf(resolve(folder, source)) ?? '').split('\n')
      const line = lines.findIndex((text) => text.replace(/^export\s+/, '').startsWith(`${key}=`))
      if (line >= 0)
        return { file: shownName(resolve(folder, source), cwd), line: line + 1, column: lines[line]!.indexOf('=') + 2 }
    }
  }
  return undefined
}

const GENERATORS: Readonly<Record<string, string>> = { ConfigMap: 'configMapGenerator', Secret: 'secretGenerator' }

/** `prod-chat-env-7h2k9f4m5t` is made from `chat-env`. */
const isMadeFrom = (name: string, built: string): boolean => built.includes(name)

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : []
