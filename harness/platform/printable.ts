/** Characters that a terminal obeys, or that hide or reorder text: all controls but the new line, and half surrogates. */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu
const LONGEST = 1500

/**
 * Text from files and programs as it may be shown: what a terminal would obey is written as an escape (`\x1b`, `\u202e`), and a text
 * without end is cut in its middle.
 */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST / 2)} … ${text.slice(-LONGEST / 2)}` : text
  return unobeyed(short)
}

/** The whole text, each character a terminal would obey written as an escape. */
export const unobeyed = (text: string, asEscape: (code: number) => string = escaped): string =>
  text.replace(UNPRINTABLE, (character) => asEscape(character.charCodeAt(0)))

/** Whether a terminal would obey a part of the text, or a reader be misled. */
export const misleads = (text: string): boolean => text.search(UNPRINTABLE) >= 0

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
