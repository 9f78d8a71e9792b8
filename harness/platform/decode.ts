import { PlatformError } from './errors.ts'

/** Text of a file's bytes: UTF-8, or UTF-16 with a byte order mark, as kubectl takes them. Throws `NOT_TEXT` with the place of the first bad byte. */
export function decodeText(file: string, bytes: Uint8Array): string {
  const text = decode(file, bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what YAML forbids
  const bad = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text)
  if (bad) {
    const code = bad[0].charCodeAt(0).toString(16).padStart(2, '0')
    throw notText(
      file,
      placeOf(text, bad.index),
      `control character 0x${code}`,
      'YAML allows no control characters but tab and line ends.',
    )
  }
  return text
}

function decode(file: string, bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const text = new TextDecoder('utf-8').decode(bytes)
    const place = placeOf(text, firstInvalid(bytes, text))
    throw notText(
      file,
      place,
      'not UTF-8',
      'The bytes at this place are no UTF-8 text (perhaps Latin-1, or a binary file).',
    )
  }
}

/** Index of the first replacement character that the bytes do not really contain. */
function firstInvalid(bytes: Uint8Array, text: string): number {
  let index = text.indexOf('\ufffd')
  const encoder = new TextEncoder()
  while (index >= 0) {
    const at = encoder.encode(text.slice(0, index)).length
    const real = bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd
    if (!real) return index
    index = text.indexOf('\ufffd', index + 1)
  }
  return 0
}

function placeOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: index - lineStart + 1 }
}

const notText = (file: string, place: { line: number; column: number }, what: string, why: string): PlatformError =>
  new PlatformError('NOT_TEXT', `${file} is not a text file Kubernetes would read: ${what}`, {
    why,
    fix: 'Save the file as UTF-8, or leave it out of the folder.',
    at: { file, ...place },
  })
