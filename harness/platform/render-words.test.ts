import fc from 'fast-check'
import { expect, it } from 'vitest'
import { commandText, commandWords } from './render-words.ts'

it('words are separated by blanks and held together by quotes', () => {
  expect(commandWords(`helm template  chat "my charts/chat" --set 'a=b c' -f x.yaml`)).toEqual([
    'helm',
    'template',
    'chat',
    'my charts/chat',
    '--set',
    'a=b c',
    '-f',
    'x.yaml',
  ])
})

it.each(['helm template x | kubectl neat', 'a && b', 'a > out.yaml', 'echo $HOME', 'echo $(id)', 'a; b', 'a `id`'])(
  '%s needs a shell, and is refused',
  (text) => expect(() => commandWords(text)).toThrow(/without a shell/),
)

it('what a shell would understand may stand in quotes', () => {
  expect(commandWords(`helm --set 'a=$x|y'`)).toEqual(['helm', '--set', 'a=$x|y'])
})

it('a quote must be closed, and a command must be there', () => {
  expect(() => commandWords('helm "x')).toThrow(/not closed/)
  expect(() => commandWords('  ')).toThrow(/empty/)
})

it('any words come out of their text again', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (words) => {
      fc.pre(words.every((word) => !word.includes("'")))
      expect(commandWords(commandText(words))).toEqual(words)
    }),
  )
})
