import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorObject } from '../errors.ts'
import { parsePythonJson } from '../python/json-scanner.ts'
import { pyRepr } from '../python/text.ts'
import type { PyValue } from '../python/value.ts'
import { dict, list, nullable, tagged, union } from './containers.ts'
import { lazyList, readList } from './lazy-list.ts'
import { bool, float, int, int64 } from './numbers.ts'
import { Invalid, type Schema, State } from './outcome.ts'
import { dataclass, model, optional, required, typedDict, withDefault } from './records.ts'
import { validationError } from './report.ts'
import { anything, literal, str } from './scalars.ts'

/** What a schema makes of JSON: a repr, or types of errors with their places. */
function check(schema: Schema, json: string): string {
  const outcome = schema.check(parsePythonJson(json), new State())
  if (!(outcome instanceof Invalid)) return pyRepr(outcome)
  return outcome.errors.map(({ type, loc }) => [type, ...loc].join(' ')).join(', ')
}

// as pydantic 2.14 answers
test.each<[json: string, outcome: string]>([
  ['5', '5'],
  ['" 5\\n"', '5'],
  ['"5.00"', '5'],
  ['"+1_000"', '1000'],
  ['"5."', 'int_parsing'],
  ['"1e3"', 'int_parsing'],
  ['""', 'int_parsing'],
  ['true', '1'],
  ['1.0', '1'],
  ['1.5', 'int_from_float'],
  ['1e30', 'int_parsing_size'],
  ['NaN', 'finite_number'],
  ['1000000000000000000000', '1000000000000000000000'],
  ['null', 'int_type'],
  ['[]', 'int_type'],
])('an int of %s: %s', (json, outcome) => {
  expect(check(int(), json)).toBe(outcome)
})

test.each<[json: string, outcome: string]>([
  ['5', '5.0'],
  ['" 1e5 "', '100000.0'],
  ['"-Infinity"', '-inf'],
  ['"nan"', 'nan'],
  ['".5"', '0.5'],
  ['"1_0.5"', '10.5'],
  ['"1__0"', 'float_parsing'],
  ['"infinit"', 'float_parsing'],
  ['false', '0.0'],
  ['null', 'float_type'],
])('a float of %s: %s', (json, outcome) => {
  expect(check(float, json)).toBe(outcome)
})

test.each<[json: string, outcome: string]>([
  ['"YES"', 'True'],
  ['"off"', 'False'],
  ['1', 'True'],
  ['0.0', 'False'],
  ['2', 'bool_parsing'],
  ['1.5', 'bool_type'],
  ['" true"', 'bool_parsing'],
  ['[]', 'bool_type'],
])('a bool of %s: %s', (json, outcome) => {
  expect(check(bool, json)).toBe(outcome)
})

test('ints of any text of digits are those digits', () => {
  fc.assert(
    fc.property(fc.bigInt(), (value) => {
      expect(check(int(), `"${value}"`)).toBe(String(value))
      expect(check(int(), String(value))).toBe(String(value))
    }),
  )
})

test('limits of ints, texts and lists', () => {
  expect(check(int64, '9223372036854775807')).toBe('9223372036854775807')
  expect(check(int64, '9223372036854775808')).toBe('less_than_equal')
  expect(check(int({ ge: 0n }), '-1')).toBe('greater_than_equal')
  expect(check(str({ maxLength: 2 }), '"😀😀"')).toBe("'😀😀'")
  expect(check(str({ minLength: 1 }), '""')).toBe('string_too_short')
  expect(check(list(str(), { maxLength: 1 }), '[1, 2]')).toBe('too_long')
  expect(check(list(str(), { minLength: 1 }), '[]')).toBe('too_short')
})

const text = { text: required(str()), type: required(literal('text')) }

test('a union takes what fits best: as it is, then with most keys, then with least coercion', () => {
  expect(check(union(int(), str()), '"5"')).toBe("'5'")
  expect(check(union(float, int()), '5')).toBe('5')
  expect(check(union(str(), int()), 'true')).toBe('1')
  const few = typedDict('Few', { type: required(str()) })
  expect(check(union(few, typedDict('Text', text)), '{"type": "text", "text": "a"}')).toBe(
    "{'text': 'a', 'type': 'text'}",
  )
})

test('a union that nothing fits tells the errors of all branches', () => {
  expect(check(union(str(), list(str())), '5')).toBe('string_type str, list_type list[str]')
  expect(check(list(union(typedDict('Text', text), str())), '[{"type": "x"}]')).toBe(
    'missing 0 Text text, literal_error 0 Text type, string_type 0 str',
  )
})

test('records: order of fields, defaults, aliases, keys nobody knows', () => {
  const schema = model('M', {
    a: required(int()),
    b: withDefault(nullable(str()), null),
    c: withDefault(dict(anything), new Map(), 'see'),
  })
  expect(check(schema, '{"z": 1, "see": {"x": []}, "a": "1"}')).toBe("{'a': 1, 'b': None, 'c': {'x': []}, 'z': 1}")
  expect(check(schema, '{"b": 1, "see": 2}')).toBe('missing a, string_type b, dict_type see')
  expect(check(schema, '[]')).toBe('model_attributes_type')
  expect(check(typedDict('T', { a: optional(int()) }), '5')).toBe('dict_type')
  expect(
    check(
      dataclass('D', {}, () => undefined),
      '5',
    ),
  ).toBe('dataclass_type')
})

test('a tagged union looks at its tag alone', () => {
  const schema = tagged('type', { a: model('A', { x: required(int()) }), b: model('B', {}) })
  expect(check(schema, '{"type": "a"}')).toBe('missing a x')
  expect(check(schema, '{"type": "c"}')).toBe('union_tag_invalid')
  expect(check(schema, '{}')).toBe('union_tag_not_found')
})

test('a lazy list is read when it is asked', () => {
  const lazy = lazyList(typedDict('Text', text)).check(
    parsePythonJson('[{"type": "text", "text": "a"}, {}]'),
    new State(),
  )
  expect(lazy).not.toBeInstanceOf(Invalid)
  expect(() => readList(lazy as readonly PyValue[])).toThrow(
    '2 validation errors for ValidatorIterator\n1.text\n  Field required [type=missing, input_value={}, input_type=dict]',
  )
})

const report = (schema: Schema, json: string) =>
  errorObject(validationError((schema.check(parsePythonJson(json), new State()) as Invalid).errors, 'body'))

test('a report quotes as Python does, and names the first place', () => {
  const schema = model('M', { a: required(literal('x', 'y', 'z')), b: required(str()) })
  expect(report(schema, '{"a": "it\'s", "b": 1e30}')).toEqual({
    error: {
      message:
        "2 validation errors:\n  {'type': 'literal_error', 'loc': 'body.a', 'msg': \"Input should be 'x', 'y' or 'z'\", 'input': \"it's\", 'ctx': {'expected': \"'x', 'y' or 'z'\"}}\n" +
        "  {'type': 'string_type', 'loc': 'body.b', 'msg': 'Input should be a valid string', 'input': '1e+30'}",
      type: 'Bad Request',
      param: 'body.a',
      code: 400,
    },
  })
})

test('a report leaves out what is long: values, lines, and errors after the tenth', () => {
  const many = report(list(int()), JSON.stringify(Array.from({ length: 12 }, () => 'x')))
  expect(many).toMatchObject({
    error: { message: expect.stringMatching(/^12 validation errors:[\s\S]*\n {2}...and 2 more errors$/) },
  })
  const long = report(int(), `"${'a'.repeat(300)}"`)
  expect(JSON.stringify(long)).toContain(`'${'a'.repeat(200)}...[truncated]'`)
})

test('paths and addresses are taken out of messages', () => {
  expect(JSON.stringify(report(int(), '"/usr/lib/python3/x.py"'))).toContain("'input': '<path>'")
})
