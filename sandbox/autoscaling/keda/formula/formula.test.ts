import { expect, test } from 'vitest'
import { unsupportedTriggers } from '../unsupported.ts'
import { compileFormula } from './formula.ts'

const run = (formula: string, values: Record<string, number | null> = { a: 2.5, b: 3 }) =>
  compileFormula(formula, Object.keys(values)).run(values)

// what expr-lang/expr 1.17.8 gives for each
test.each([
  ['a > 1 ? a : 0', 2.5],
  ['count([a,b],{#>1}) > 1 ? 5 : 0', 5],
  ['-a**2', -6.25],
  ['2 ** 3 ** 2', 512],
  ['a < b < 3 ? 1:2', 2],
  ['1/2', 0.5],
  ['7 % 2', 1],
  ['a / 0', Number.POSITIVE_INFINITY],
  ['if a > 1 {1} else if b > 1 {2} else {3}', 1],
  ['let x = a; x*2', 5],
  ['round(-2.5)', -3],
  ['max([a,b], 7)', 7],
  ['sum([a,b], # * 2)', 11],
  ['median([a,b])', 2.75],
  ['1_000 + .5', 1000.5],
  ['not (a > 1) ? 1 : 2', 2],
  ['a>1?b>1?1:2:3', 1],
])('%s', (formula, result) => {
  expect(run(formula)).toBe(result)
})

test('what fails says where', () => {
  expect(() => run('a+c')).toThrow('unknown name c (1:9)\n | float(a+c)\n | ........^')
  expect(() => run('a % 2')).toThrow('invalid operation: % (mismatched types float64 and int) (1:9)')
  expect(() => run('a ? 1 : 2')).toThrow('non-bool expression (type float64) used as condition (1:7)')
  expect(() => run('a +')).toThrow('unexpected token Bracket(")") (1:10)')
  expect(() => run('float(a) > 1 ? 1 : 2')).toThrow('formula returned non-float result int (1)')
})

test('a failing trigger is nil', () => {
  expect(run('(a ?? b) * 2', { a: null, b: 3 })).toBe(6)
  expect(run('a ?? nil', { a: null })).toBeNull()
})

test('what the language has and we have not is named', () => {
  const withFormula = (formula: string) =>
    unsupportedTriggers({
      spec: { scaleTargetRef: { name: 'x' }, triggers: [], advanced: { scalingModifiers: { formula, target: '1' } } },
    })
  const at = '(spec.advanced.scalingModifiers.formula)'
  expect(withFormula('map([a], # * 2)[0]')).toEqual([`function map in a formula ${at}`])
  expect(withFormula('a | max(b)')).toEqual([`operator | in a formula ${at}`])
  expect(withFormula('a == "x" ? 1 : 2')).toEqual([`a string in a formula ${at}`])
  expect(withFormula('a + b')).toEqual([])
})
