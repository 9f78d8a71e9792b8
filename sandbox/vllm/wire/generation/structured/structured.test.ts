import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../errors.ts'
import type { StructuredOutputs } from '../../generation.ts'
import type { PyValue } from '../../python/value.ts'
import { instanceOf } from './instance.ts'
import { structuredText } from './structured-text.ts'

const made = (structured: StructuredOutputs, seed: number, room = Number.POSITIVE_INFINITY) =>
  structuredText(structured, seed, (text) => text.length <= room)

function refusal(structured: StructuredOutputs): string {
  try {
    made(structured, 1)
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
  return 'none'
}

/** Says what an independent validator says; a new one for each schema, since it keeps them. */
function validator(schema: object): (text: string) => string {
  const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 9 })
  addFormats.default(ajv)
  const valid = ajv.compile(schema)
  return (text) =>
    valid(JSON.parse(text)) ? 'valid' : `${JSON.stringify(schema)} ${text} ${ajv.errorsText(valid.errors)}`
}

const leaf = fc.oneof(
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  fc.constant({}),
  fc.record({ type: fc.constant('string'), minLength: fc.nat(12), maxLength: fc.integer({ min: 12, max: 40 }) }),
  fc.record({
    type: fc.constant('string'),
    format: fc.constantFrom(
      'date',
      'date-time',
      'email',
      'uuid',
      'uri',
      'ipv4',
      'ipv6',
      'time',
      'hostname',
      'duration',
    ),
  }),
  fc.record({
    type: fc.constant('string'),
    pattern: fc.constantFrom('^[A-Z]{3}-\\d{2,4}$', '^(a|b)+c?$', '[0-9a-f]{8}', '^\\S+@\\S+$'),
  }),
  fc.record({
    type: fc.constant('integer'),
    minimum: fc.integer({ min: -50, max: 0 }),
    maximum: fc.integer({ min: 0, max: 50 }),
  }),
  fc.record({
    type: fc.constant('number'),
    exclusiveMinimum: fc.integer({ min: -5, max: 0 }),
    exclusiveMaximum: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ type: fc.constant('integer'), multipleOf: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    enum: fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({ const: fc.oneof(fc.string(), fc.integer(), fc.constant({ a: [1] })) }),
  fc.record({ type: fc.constant(['string', 'null', 'integer']) }),
)
const key = fc.constantFrom('id', 'name', 'count', 'tags', 'inner', 'flag', 'city')

const schemas: fc.Arbitrary<object> = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc
      .record({
        properties: fc.dictionary(key, tie('schema'), { maxKeys: 4 }),
        all: fc.boolean(),
        additionalProperties: fc.boolean(),
      })
      .map(({ properties, all, additionalProperties }) => ({
        type: 'object',
        properties,
        additionalProperties,
        required: Object.keys(properties).filter((_, i) => all || i % 2 === 0),
      })),
    fc.record({
      type: fc.constant('array'),
      items: tie('schema'),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 5 }),
    }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
  ),
})).schema

describe('JSON of a schema', () => {
  it('is valid for an independent validator, compact, and the same for the same seed', () => {
    fc.assert(
      fc.property(schemas, fc.integer(), (schema, seed) => {
        const text = made({ json: schema }, seed)
        expect(validator(schema)(text)).toBe('valid')
        expect(text).toBe(JSON.stringify(JSON.parse(text)))
        expect(made({ json: schema }, seed)).toBe(text)
      }),
      { numRuns: 80 },
    )
  }, 60_000)

  const CONDITIONAL =
    '{"type":"object","properties":{"kind":{"enum":["a","b"]},"n":{"type":"integer"}},"required":["kind"],"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["n"]},"else":{"properties":{"n":false}}}'
  const hard: readonly object[] = [
    {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
          required: ['value', 'next'],
        },
      },
    },
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: { type: 'string' } }, required: ['b'] },
      ],
    },
    {
      oneOf: [
        { type: 'integer', minimum: 0 },
        { type: 'integer', maximum: 10 },
      ],
    },
    { type: 'array', items: { enum: [1, 2, 3, 4] }, uniqueItems: true, minItems: 4 },
    { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false, minItems: 2 },
    { type: 'array', contains: { const: 7 }, items: { type: 'integer' }, minItems: 3 },
    {
      type: 'object',
      patternProperties: { '^x-': { type: 'integer' } },
      additionalProperties: false,
      minProperties: 2,
    },
    {
      type: 'object',
      propertyNames: { pattern: '^[a-z]{2}$' },
      minProperties: 2,
      additionalProperties: { type: 'boolean' },
    },
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      required: ['a'],
      dependentRequired: { a: ['b'] },
    },
    JSON.parse(CONDITIONAL) as object,
    { type: 'string', not: { enum: ['harbour'] }, maxLength: 7 },
    { type: 'number', multipleOf: 0.1, minimum: 0.25, maximum: 0.45 },
    { type: ['object', 'null'], properties: { a: { $ref: '#' } } },
  ]
  it.each(hard.map((schema) => ({ schema })))('is valid for $schema', ({ schema }) => {
    const validate = validator(schema)
    for (let seed = 0; seed < 40; seed++) expect(validate(made({ json: schema }, seed))).toBe('valid')
  })

  it('is the shortest there is where there is little room', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } }
    expect(made({ json: schema }, 1, 4)).toBe('{}')
    expect(made({ jsonObject: true }, 1, 4)).toBe('{}')
  })

  it('makes arguments of a function', () => {
    const schema = new Map<string, PyValue>([
      ['type', 'object'],
      ['required', ['a']],
    ])
    const made = instanceOf(schema) as ReadonlyMap<string, unknown>
    expect([...made.keys()]).toEqual(['a'])
    expect(instanceOf(undefined)).toEqual(new Map())
  })
})

describe('text of an expression', () => {
  const expressions = [
    '[ab]+',
    '[a-z]{3}-[0-9]{2}',
    '(yes|no)',
    '\\d{4}-\\d\\d',
    '(?P<x>a|b)c?',
    '\\w+@\\w+\\.com',
    '[^a-z]{4}',
    'a{2,}',
    '^ab$',
    '.*',
    '\\p{L}+',
    '(?i)abc',
  ]
  it.each(expressions)('%s is matched by it', (regex) => {
    const flags = regex.startsWith('(?i)') ? 'iu' : 'u'
    const whole = new RegExp(`^(?:${regex.replace('(?i)', '').replace('(?P<', '(?<')})$`, flags)
    for (let seed = 0; seed < 50; seed++) expect(made({ regex }, seed)).toMatch(whole)
  })
})

describe('text of a grammar', () => {
  it('follows its rules, in either notation', () => {
    const sum = 'root ::= term (("+" | "-") term)* # a sum\nterm ::= [0-9]{1,3} | "(" root ")"'
    const lark = 'start: term (("+" | "-") term)*\nterm: NUMBER | "(" start ")"\nNUMBER: /[0-9]{1,3}/'
    for (let seed = 0; seed < 60; seed++)
      for (const grammar of [sum, lark]) expect(made({ grammar }, seed)).toMatch(/^[0-9()+-]+$/)
    expect(made({ grammar: 'root ::= "a\\n" "b"' }, 1)).toBe('a\nb')
  })

  it('ends, however rules call each other', () => {
    const grammar = 'root ::= "(" root ")" | "[" root root "]" | "x"'
    for (let seed = 0; seed < 60; seed++) expect(made({ grammar }, seed)).toMatch(/^[()[\]x]+$/)
  })
})

describe('constraints that are none', () => {
  it.each<[StructuredOutputs, string]>([
    [{ choice: [] }, "Choice '[]' cannot be an empty list"],
    [{ regex: '(' }, 'Grammar error: SyntaxError: '],
    [{ json: '{' }, 'Invalid JSON grammar specification.'],
    [{ grammar: 'x y z' }, "Expected ::= at line 1, 'x ' ^ 'y z'"],
    [{ grammar: 'root ::= b' }, "Rule 'b' not found"],
    [{ grammar: 'root ::= ("a"' }, "Expected ')' at line 1, 'root ::= (\"a\"' ^ ''"],
    [{ grammar: 'start: a' }, 'Grammar error: at 1(8): unknown name: "a"'],
  ])('%j are refused', (structured, message) => {
    expect(refusal(structured)).toContain(message)
  })
})
