import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isMap } from '../roles/pod-templates.ts'
import type { ParsedValue } from '../value.ts'
import { documentsOf, shownName } from './files.ts'

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** The file that makes a folder a kustomization. */
export const kustomizationIn = (folder: string): string | undefined =>
  NAMES.map((name) => join(folder, name)).find((file) => existsSync(file))

/** A kustomization with the folder its paths are relative to. */
export interface Kustomization {
  readonly folder: string
  readonly file: string
  readonly parsed: ParsedValue
  readonly fields: Readonly<Record<string, unknown>>
}

/** The kustomization that is built, then those it builds upon, in the order in which the later ones are changed by the earlier. */
export function kustomizationsFrom(root: string, cwd: string): Kustomization[] {
  const found: Kustomization[] = []
  const seen = new Set<string>()
  const visit = (folder: string) => {
    const file = kustomizationIn(folder)
    if (!file || seen.has(file)) return
    seen.add(file)
    const [parsed] = documentsOf(file, shownName(file, cwd))
    if (!parsed || !isMap(parsed.value)) return
    found.push({ folder, file, parsed, fields: parsed.value })
    for (const path of entries(parsed.value)) if (isFolder(resolve(folder, path))) visit(resolve(folder, path))
  }
  visit(root)
  return found
}

/** Files and folders that a kustomization takes objects from. */
export const entries = (fields: Readonly<Record<string, unknown>>): string[] =>
  ['resources', 'bases', 'components'].flatMap((field) => {
    const list = fields[field]
    return Array.isArray(list) ? list.filter((path): path is string => typeof path === 'string') : []
  })

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
