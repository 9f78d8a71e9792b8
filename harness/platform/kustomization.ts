import { PlatformError } from './errors.ts'
import { locate } from './locate.ts'
import type { Note } from './platform.ts'
import type { ParsedValue } from './value.ts'

/** Fields that only say which files belong together; every other one changes objects when kustomize renders. */
const ONLY_NAMES_FILES = new Set(['apiVersion', 'kind', 'metadata', 'resources', 'bases'])

/**
 * A kustomization is not rendered here. One that only lists its files changes nothing and is noted; one that changes objects is an
 * error, because what would be judged is not what gets applied.
 */
export function judgeKustomizations(kustomizations: ReadonlyMap<string, ParsedValue>): {
  notes: Note[]
  errors: PlatformError[]
} {
  const notes: Note[] = []
  const errors: PlatformError[] = []
  for (const [file, parsed] of kustomizations) {
    const fields = Object.keys((parsed.value ?? {}) as object)
    const changes = fields.filter((field) => !ONLY_NAMES_FILES.has(field))
    if (changes.length === 0) {
      notes.push({
        file,
        message: 'a kustomization, not rendered: it only lists files, and those in this folder are read as they are',
      })
      continue
    }
    errors.push(
      new PlatformError(
        'KUSTOMIZATION_NOT_RENDERED',
        `a kustomization that sets ${changes.slice(0, 5).join(', ')} was not rendered`,
        {
          why: 'What kustomize changes would be missing from what is judged.',
          fix: `Pipe it (kustomize build ${folderOf(file)} | seatrial verify -), or let «seatrial init» write the render command.`,
          at: locate(parsed, [changes[0]!]).key ?? locate(parsed, []),
        },
      ),
    )
  }
  return { notes, errors }
}

/** The folder a kustomization governs. */
export const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.')

export const isKustomization = (file: string): boolean => /(^|\/)[Kk]ustomization(\.ya?ml)?$/.test(file)
