import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dumps, dumpsCompact, dumpsPydantic, dumpsUnicode } from './dumps.ts'
import { floatRepr, pydanticFloat, pyRepr, pyStr } from './text.ts'
import { PyFloat } from './value.ts'

// as CPython 3.11 and pydantic 2.14 write them
test.each<[value: number, python: string, pydantic: string]>([
  [0, '0.0', '0.0'],
  [-0, '-0.0', '-0.0'],
  [0.1, '0.1', '0.1'],
  [1e-4, '0.0001', '0.0001'],
  [1.5e-5, '1.5e-05', '0.000015'],
  [1e-6, '1e-06', '1e-6'],
  [1e15, '1000000000000000.0', '1000000000000000.0'],
  [1e16, '1e+16', '1e+16'],
  [123456789012345680, '1.2345678901234568e+17', '1.2345678901234568e+17'],
  [5e-324, '5e-324', '5e-324'],
  [Number.POSITIVE_INFINITY, 'inf', 'null'],
  [Number.NaN, 'nan', 'null'],
])('%d is %s in Python and %s in pydantic', (value, python, pydantic) => {
  expect(floatRepr(value)).toBe(python)
  expect(pydanticFloat(value)).toBe(pydantic)
})

test('floats read back as what they were', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(floatRepr(value))).toBe(value)
      expect(Number(pydanticFloat(value))).toBe(value)
    }),
  )
})

test.each<[text: string, repr: string]>([
  ['a', "'a'"],
  ["it's", '"it\'s"'],
  ['"\'', "'\"\\''"],
  ['\\ \n\r\t', "'\\\\ \\n\\r\\t'"],
  ['\u0007\u007f\u00a0\u00ad', "'\\x07\\x7f\\xa0\\xad'"],
  ['\u2028\u3000\u200b', "'\\u2028\\u3000\\u200b'"],
  ['é😀', "'é😀'"],
])('text %j is %s', (text, repr) => {
  expect(pyRepr(text)).toBe(repr)
})

test('str leaves texts as they are, and shows the rest as repr does', () => {
  expect(pyStr("it's")).toBe("it's")
  expect(pyStr(null)).toBe('None')
  expect(pyStr(true)).toBe('True')
  expect(pyStr(2n ** 64n)).toBe('18446744073709551616')
  expect(pyStr(new Map([['a', ['x', new PyFloat(2)]]]))).toBe("{'a': ['x', 2.0]}")
})

test('JSON in four styles', () => {
  const value = { a: [1, new PyFloat(1), 1e-7, 'é"\n'], b: undefined, c: new Map([['d', null]]) }
  expect(dumps(value)).toBe('{"a": [1, 1.0, 1e-07, "\\u00e9\\"\\n"], "c": {"d": null}}')
  expect(dumpsUnicode(value)).toBe('{"a": [1, 1.0, 1e-07, "é\\"\\n"], "c": {"d": null}}')
  expect(dumpsCompact(value)).toBe('{"a":[1,1.0,1e-07,"é\\"\\n"],"c":{"d":null}}')
  expect(dumpsPydantic(value)).toBe('{"a":[1,1.0,1e-7,"é\\"\\n"],"c":{"d":null}}')
})

test('control characters are escaped in lower case, others beyond ASCII only where asked', () => {
  expect(dumpsCompact('\u000b\u007f\u2028😀')).toBe('"\\u000b\u007f\u2028😀"')
  expect(dumps('\u000b\u007f\u2028😀')).toBe('"\\u000b\\u007f\\u2028\\ud83d\\ude00"')
})

test('texts of any letters read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      expect(JSON.parse(dumps(text))).toBe(text)
      expect(JSON.parse(dumpsCompact(text))).toBe(text)
    }),
  )
})
