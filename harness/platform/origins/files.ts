import { readFileSync, statSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { PlatformError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { type ParsedValue, toValue } from '../value.ts'
import { parseYaml } from '../yaml.ts'

const BYTES_MAX = 5e6

/** The text of a file; undefined where it cannot be read or is too large to be a source. */
export function textOf(path: string): string | undefined {
  try {
    return statSync(path).size > BYTES_MAX ? undefined : readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const parsedFiles = new Map<string, { text: string; documents: ParsedValue[] }>()

/** The documents of a YAML file; those that cannot be read are left out. */
export function documentsOf(path: string, shown: string): ParsedValue[] {
  const text = textOf(path)
  if (text === undefined) return []
  const known = parsedFiles.get(path)
  if (known?.text === text) return known.documents
  const documents = valuesIn(text, shown)
  parsedFiles.set(path, { text, documents })
  return documents
}

/** The documents of a text of YAML. */
export function valuesIn(text: string, shown: string): ParsedValue[] {
  const { source, documents } = parseYaml(shown, text, LIMITS)
  return documents.flatMap((document) => {
    try {
      return [toValue(document.contents as Parameters<typeof toValue>[0], source, LIMITS)]
    } catch (error) {
      if (error instanceof PlatformError) return []
      throw error
    }
  })
}

/** A file as the user would name it. */
export function shownName(path: string, cwd: string): string {
  const name = relative(cwd, path)
  const shown = name === '' ? '.' : name.startsWith('..') ? path : name
  return sep === '/' ? shown : shown.split(sep).join('/')
}
