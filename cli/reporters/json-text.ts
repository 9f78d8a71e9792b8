import { unobeyed } from '../../harness/platform/printable.ts'

/**
 * A value as JSON text that says the same to every parser and that no terminal obeys: controls and characters that reorder text
 * are written as JSON escapes, and so is what GitHub's runner would take for a command.
 */
export const jsonText = (value: unknown): string =>
  unobeyed(JSON.stringify(value, null, 2), (code) => `\\u${code.toString(16).padStart(4, '0')}`).replaceAll(
    '##[',
    '##\\u005b',
  )
