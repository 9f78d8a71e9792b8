/** Text of bytes as `json.loads` reads them: UTF-8, -16 or -32, told by a mark or by zero bytes. Throws a RangeError for bad bytes. */
// follows CPython 3.11, Lib/json/__init__.py (detect_encoding), with the error handler "surrogatepass"
export function decodeJsonBytes(bytes: Uint8Array): string {
  const [encoding, from] = encodingOf(bytes)
  const body = bytes.subarray(from)
  if (encoding === 'utf-8') return decodeUtf8(body)
  return encoding.startsWith('utf-16')
    ? decodeUtf16(body, encoding.endsWith('le'))
    : decodeUtf32(body, encoding.endsWith('le'))
}

type Encoding = 'utf-8' | 'utf-16-le' | 'utf-16-be' | 'utf-32-le' | 'utf-32-be'

function encodingOf(bytes: Uint8Array): readonly [Encoding, number] {
  const [a, b, c, d] = bytes
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return ['utf-32-be', 4]
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return ['utf-32-le', 4]
  if (a === 0xfe && b === 0xff) return ['utf-16-be', 2]
  if (a === 0xff && b === 0xfe) return ['utf-16-le', 2]
  if (a === 0xef && b === 0xbb && c === 0xbf) return ['utf-8', 3]
  if (bytes.length >= 4) {
    if (a === 0) return [b !== 0 ? 'utf-16-be' : 'utf-32-be', 0]
    if (b === 0) return [c !== 0 || d !== 0 ? 'utf-16-le' : 'utf-32-le', 0]
  } else if (bytes.length === 2) {
    if (a === 0) return ['utf-16-be', 0]
    if (b === 0) return ['utf-16-le', 0]
  }
  return ['utf-8', 0]
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return decodeWithSurrogates(bytes)
  }
}

/** Surrogates that stand alone in UTF-8 (ED A0 80 to ED BF BF) are taken as they are. */
function decodeWithSurrogates(bytes: Uint8Array): string {
  let text = ''
  let from = 0
  for (let at = 0; at + 2 < bytes.length; at++) {
    const second = bytes[at + 1] as number
    const third = bytes[at + 2] as number
    const isSurrogate = bytes[at] === 0xed && second >= 0xa0 && second <= 0xbf && third >= 0x80 && third <= 0xbf
    if (!isSurrogate) continue
    text += decodePart(bytes.subarray(from, at))
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
    from = at + 3
    at += 2
  }
  return text + decodePart(bytes.subarray(from))
}

function decodePart(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    throw new RangeError('bytes are not UTF-8')
  }
}

function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 2 !== 0) throw new RangeError('bytes are not UTF-16')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let at = 0; at < bytes.length; at += 2) text += String.fromCharCode(view.getUint16(at, littleEndian))
  return text
}

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new RangeError('bytes are not UTF-32')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian)
    if (point > 0x10ffff) throw new RangeError('bytes are not UTF-32')
    text += String.fromCodePoint(point)
  }
  return text
}
