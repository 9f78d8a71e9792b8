import { expect, it } from 'vitest'
import { EXIT_CODES, endOf, endText } from './exit.ts'

it.each([
  [0, 0],
  [99, 99],
  [104, 2],
  [107, 2],
  [105, 130],
  [110, 1],
  [100, 5],
  [108, 5],
  [109, 5],
  [255, 5],
  [null, 5],
] as const)('k6’s %s is %i', (code, exitCode) => expect(EXIT_CODES[endOf(code)]).toBe(exitCode))

it('says what it was, with the last lines', () => {
  expect(endText(107, 'a\nb\n')).toBe('k6 ended with 107: the script threw:\na\nb')
  expect(endText(null, '')).toBe('k6 ended with a signal')
  expect(endText(77, '')).toBe('k6 ended with code 77')
})
