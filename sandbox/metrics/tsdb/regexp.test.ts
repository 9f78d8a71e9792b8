import { describe, expect, it } from 'vitest'
import { anchored, RegexpError } from './regexp.ts'

describe('RE2 expressions', () => {
  const cases: readonly (readonly [pattern: string, takes: readonly string[], refuses: readonly string[]])[] = [
    ['a|b', ['a', 'b'], ['ab', '']],
    ['a.c', ['abc', 'a\nc'], ['ac']],
    ['(?i)get', ['GET', 'get'], ['gets']],
    ['x(?i)y|z', ['xY', 'Z'], ['Xy']],
    ['(?i:a)b', ['Ab'], ['AB']],
    [String.raw`\Qa.b\E+`, ['a.b', 'a.bb'], ['axb']],
    [String.raw`[[:alpha:]_]+\d`, ['ab_1'], ['1a']],
    [String.raw`\pL\p{Greek}`, ['aλ'], ['1λ']],
    [String.raw`\x41\x{1F600}`, ['A😀'], ['A']],
    ['[a-]', ['a', '-'], ['b']],
    ['[]a]', [']', 'a'], ['b']],
    [String.raw`a\.b\-c\_d`, ['a.b-c_d'], ['axb-c_d']],
    ['{a}', ['{a}'], ['a']],
    ['a{2}', ['aa'], ['a{2}']],
    ['(?P<name>a)', ['a'], ['b']],
    ['.', ['😀'], ['']],
    ['a$*', ['a'], ['b']],
    ['', [''], ['a']],
  ]
  it.each(cases)('%s', (pattern, takes, refuses) => {
    const regexp = anchored(pattern)
    for (const text of takes) expect(regexp.test(text), text).toBe(true)
    for (const text of refuses) expect(regexp.test(text), text).toBe(false)
  })

  it.each(['(?=a)', '(?<!a)b', String.raw`(a)\1`, 'a**', '+', '(', ')', '[a', String.raw`\y`, 'a\\'])(
    '%s is none',
    (pattern) => {
      expect(() => anchored(pattern)).toThrow(RegexpError)
    },
  )
})
