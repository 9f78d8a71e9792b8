import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LabelSelector } from './objects.ts'
import { parseSelector } from './selector-text.ts'
import { bothSelect, labelSelector, nodeSelector, nothing, selectorFromSet } from './selectors.ts'
import { selects } from './selects.ts'

describe('labelSelector', () => {
  it('selects nothing when absent and everything when empty', () => {
    expect(labelSelector(undefined).matches({ a: '1' })).toBe(false)
    expect(labelSelector(undefined).empty).toBe(false)
    expect(labelSelector({}).matches(undefined)).toBe(true)
    expect(labelSelector({}).empty).toBe(true)
  })

  it('refuses an operator of node selectors', () => {
    const selector = { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] } as unknown as LabelSelector
    expect(() => labelSelector(selector)).toThrowError('"Gt" is not a valid label selector operator')
  })

  it('does not take properties of every object for labels', () => {
    const exists: LabelSelector = { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }
    expect(labelSelector(exists).matches({})).toBe(false)
  })

  it('agrees with the plain reading of the selector', () => {
    const key = fc.constantFrom('a', 'b')
    const value = fc.constantFrom('1', '2')
    const expression = fc.oneof(
      fc.record({
        key,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.array(value, { minLength: 1 }),
      }),
      fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
    )
    const selector = fc.record({
      matchLabels: fc.dictionary(key, value),
      matchExpressions: fc.array(expression, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(selector, fc.dictionary(key, value), (s, labels) => {
        expect(labelSelector(s).matches(labels)).toBe(selects(s, labels))
      }),
    )
  })
})

describe('bothSelect', () => {
  it('selects what both select', () => {
    const both = bothSelect(selectorFromSet({ a: '1' }), selectorFromSet({ b: '2' }))
    expect([both.matches({ a: '1' }), both.matches({ a: '1', b: '2' })]).toEqual([false, true])
    expect(bothSelect(nothing, selectorFromSet({})).matches({})).toBe(false)
    expect(both.text).toBe(bothSelect(selectorFromSet({ b: '2' }), selectorFromSet({ a: '1' })).text)
  })
})

describe('nodeSelector', () => {
  const gpu = (name: string, labels: Record<string, string>) => ({ metadata: { name, labels } })

  it.each([
    ['an empty term', [{}], false],
    ['no terms', [], false],
    ['any term', [{}, { matchExpressions: [{ key: 'gpu', operator: 'Exists' as const }] }], true],
    [
      'all of a term',
      [
        {
          matchExpressions: [
            { key: 'gpu', operator: 'Exists' as const },
            { key: 'x', operator: 'Exists' as const },
          ],
        },
      ],
      false,
    ],
    ['numbers above', [{ matchExpressions: [{ key: 'memory', operator: 'Gt' as const, values: ['79'] }] }], true],
    ['numbers below', [{ matchExpressions: [{ key: 'memory', operator: 'Lt' as const, values: ['80'] }] }], false],
    ['what is no number', [{ matchExpressions: [{ key: 'gpu', operator: 'Gt' as const, values: ['1'] }] }], false],
    [
      'a term nobody can evaluate',
      [{ matchExpressions: [{ key: 'memory', operator: 'Gt' as const, values: ['many'] }] }],
      false,
    ],
    ['the name', [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['gpu-1'] }] }], true],
    [
      'another name',
      [{ matchFields: [{ key: 'metadata.name', operator: 'NotIn' as const, values: ['gpu-1'] }] }],
      false,
    ],
    [
      'two names in one',
      [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['gpu-1', 'gpu-2'] }] }],
      false,
    ],
  ])('matches %s: %j → %s', (_, terms, expected) => {
    expect(nodeSelector(terms)(gpu('gpu-1', { gpu: 'h100', memory: '80' }))).toBe(expected)
  })
})

describe('parseSelector', () => {
  it.each([
    ['', '', { a: '1' }, true],
    ['app=web,tier!=cache', 'app=web,tier!=cache', { app: 'web' }, true],
    ['app==web', 'app=web', { app: 'web' }, true],
    ['env in (a, b)', 'env in (a,b)', { env: 'b' }, true],
    ['env notin (a,b)', 'env notin (a,b)', {}, true],
    ['!gone,kept', '!gone,kept', { kept: '' }, true],
    ['rank>3', 'rank>3', { rank: '3' }, false],
    ['empty=', 'empty=', { empty: '' }, true],
  ])('reads %j', (text, canonical, labels, matches) => {
    expect(parseSelector(text).text).toBe(canonical)
    expect(parseSelector(text).matches(labels)).toBe(matches)
  })

  it.each(['a=b=c', 'a in b', 'a in (b', 'a,', ',a', 'a>b', '!', 'a b'])('refuses %j', (text) => {
    expect(() => parseSelector(text)).toThrowError()
  })
})

describe('parseSelector, as the oracle found it', () => {
  it.each([
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a,,b', "found ',', expected: identifier after ','"],
    ['a=(1)', "unable to parse requirement: found '(', expected: identifier"],
    [
      'a>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      `${'x'.repeat(64)} in ()`,
      `unable to parse requirement: <nil>: Invalid value: "${'x'.repeat(64)}": name part must be no more than 63 bytes`,
    ],
  ])('refuses %s in upstream’s words', (text, message) => {
    expect(() => parseSelector(text)).toThrowError(message)
  })
})

it('a node selector with a value that is no label value matches nothing', () => {
  const key = 'a'
  const matches = nodeSelector([{ matchExpressions: [{ key, operator: 'NotIn', values: ['-3'] }] }])
  expect(matches({ metadata: { name: 'n1', labels: {} } })).toBe(false)
})
