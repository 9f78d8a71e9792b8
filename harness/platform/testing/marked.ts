import { type PlatformError, PlatformErrors } from '../errors.ts'
import { type LoadOptions, loadPlatform } from '../load.ts'

/** Marks the place where an error is expected; taken out before the text is read. */
const MARK = '‸'

/** A text without its marks, and the line and column of each. */
export function unmark(marked: string): { text: string; places: { line: number; column: number }[] } {
  const parts = marked.split(MARK)
  const places = parts.slice(0, -1).map((_, i) => {
    const lines = parts
      .slice(0, i + 1)
      .join('')
      .split('\n')
    return { line: lines.length, column: lines.at(-1)!.length + 1 }
  })
  return { text: parts.join(''), places }
}

/** What loading a text from standard input reports. Anything but a report of errors is rethrown. */
export async function errorsOf(text: string, options: Partial<LoadOptions> = {}): Promise<PlatformError[]> {
  try {
    await loadPlatform({ paths: ['-'], stdin: text, cwd: '/nowhere', ...options })
    return []
  } catch (error) {
    if (!(error instanceof PlatformErrors)) throw error
    return [...error.errors]
  }
}
