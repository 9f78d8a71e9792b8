import { expect, test } from 'vitest'
import { bracketProblem } from './syntax.ts'

test('brackets that do not match are told as Jinja tells them', () => {
  expect(bracketProblem('{{ foo( }}')).toBe("unexpected '}', expected ')'")
  expect(bracketProblem('{% if a] %}x{% endif %}')).toBe("unexpected ']'")
  expect(bracketProblem('{# never ends')).toBe('Missing end of comment tag')
})

test('brackets in texts, comments and outside of blocks mean nothing', () => {
  expect(bracketProblem("a) {{ '(' ~ b[0] }} {# ( #} {%- set c = {'d': (1, 2)} -%} }")).toBeUndefined()
})
