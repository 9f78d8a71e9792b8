import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJsonBytes } from './decode.ts'
import { JsonDecodeError, JsonLimitError, parsePythonJson } from './json-scanner.ts'
import { pyRepr } from './text.ts'
import { toPlain } from './value.ts'

const refusal = (text: string): readonly [string, number] | undefined => {
  try {
    parsePythonJson(text)
    return undefined
  } catch (error) {
    if (error instanceof JsonDecodeError) return [error.message, error.position]
    throw error
  }
}

// as CPython 3.11 says
test.each<[text: string, message: string, position: number]>([
  ['', 'Expecting value', 0],
  ['   ', 'Expecting value', 3],
  ['{"model": "x", "messages": [', 'Expecting value', 28],
  ['{"a":1,}', 'Expecting property name enclosed in double quotes', 7],
  ["{'a':1}", 'Expecting property name enclosed in double quotes', 1],
  ['{"a" 1}', "Expecting ':' delimiter", 5],
  ['[1 2]', "Expecting ',' delimiter", 3],
  ['[1,]', 'Expecting value', 3],
  ['{"a":1} x', 'Extra data', 8],
  ['01', 'Extra data', 1],
  ['-', 'Expecting value', 0],
  ['nul', 'Expecting value', 0],
  ['{"a":"abc', 'Unterminated string starting at', 5],
  ['"\\', 'Unterminated string starting at', 0],
  ['{"a":"x\ny"}', 'Invalid control character at', 7],
  ['"\\q"', 'Invalid \\escape', 1],
  ['"\\u12"', 'Invalid \\uXXXX escape', 2],
  ['"\\u12zz5"', 'Invalid \\uXXXX escape', 2],
  ['["😀", x]', 'Expecting value', 6],
])('%s is refused with %s at %i', (text, message, position) => {
  expect(refusal(text)).toEqual([message, position])
})

test.each<[text: string, repr: string]>([
  ['[1, 1.0, 1e3, -0, -0.0]', '[1, 1.0, 1000.0, 0, -0.0]'],
  ['123456789012345678901234567890', '123456789012345678901234567890'],
  ['[NaN, Infinity, -Infinity, 1e400]', '[nan, inf, -inf, inf]'],
  ['{"a": 1, "b": 2, "a": 3}', "{'a': 3, 'b': 2}"],
  ['{"__proto__": {}, "2": 1, "1": 2}', "{'__proto__': {}, '2': 1, '1': 2}"],
  ['"\\ud83d\\ude00 \\ud800"', "'😀 \\ud800'"],
])('%s reads as %s', (text, repr) => {
  expect(pyRepr(parsePythonJson(text))).toBe(repr)
})

test('numbers of too many digits and nesting too deep have no position', () => {
  expect(() => parsePythonJson('1'.repeat(4301))).toThrow(JsonLimitError)
  expect(() => parsePythonJson('['.repeat(5000))).toThrow(JsonLimitError)
})

test('what JavaScript writes is read as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium' }), (value) => {
      const text = JSON.stringify(value)
      expect(toPlain(parsePythonJson(text))).toEqual(JSON.parse(text))
    }),
  )
})

test('whatever the text, it is read or refused within it', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u00e9',
    '1',
    '-',
    '.5',
    'e3',
    'NaN',
    'é',
    '😀',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      const [, position] = refusal(text) ?? ['', 0]
      expect(position).toBeGreaterThanOrEqual(0)
      expect(position).toBeLessThanOrEqual([...text].length)
    }),
  )
})

test.each<[encoding: string, bytes: readonly number[]]>([
  ['utf-8', [0x5b, 0x31, 0x5d]],
  ['utf-8 with a mark', [0xef, 0xbb, 0xbf, 0x5b, 0x31, 0x5d]],
  ['utf-16-le', [0x5b, 0, 0x31, 0, 0x5d, 0]],
  ['utf-16-be', [0, 0x5b, 0, 0x31, 0, 0x5d]],
  ['utf-16 with a mark', [0xff, 0xfe, 0x5b, 0, 0x31, 0, 0x5d, 0]],
  ['utf-32-le', [0x5b, 0, 0, 0, 0x31, 0, 0, 0, 0x5d, 0, 0, 0]],
])('bytes in %s are text', (_, bytes) => {
  expect(decodeJsonBytes(Uint8Array.from(bytes))).toBe('[1]')
})

test('surrogates in UTF-8 pass, other bytes that are no UTF-8 do not', () => {
  expect(decodeJsonBytes(Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe(`"${String.fromCharCode(0xd800)}"`)
  expect(() => decodeJsonBytes(Uint8Array.from([0x22, 0xff, 0x22]))).toThrow(RangeError)
})
