import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readShellScript } from './shell-words.ts'

const words = (script: string, environment = {}, args: string[] = []) =>
  readShellScript(script, environment, args).commands.map((c) => c.words)

test.each<[string, string[][], Record<string, string>?]>([
  ['vllm serve a/b', [['vllm', 'serve', 'a/b']]],
  ['echo \'a b\' "c d" e\\ f', [['echo', 'a b', 'c d', 'e f']]],
  ['a \\\n  b', [['a', 'b']]],
  ['a # a comment\nb', [['a'], ['b']]],
  ['a#b', [['a#b']]],
  ['a && b || c; d & e | f', [['a'], ['b'], ['c'], ['d'], ['e'], ['f']]],
  ['run $X "$X" \'$X\'', [['run', '1', '2', '1 2', '$X']], { X: '1 2' }],
  [`run \${X:-none} \${Y:-none} \${Y:+some}`, [['run', 'x', 'none']], { X: 'x' }],
  ['run ""', [['run', '']]],
  ['run $EMPTY end', [['run', 'end']], { EMPTY: '' }],
  ['M=a/b; run $M', [['run', 'a/b']]],
  [
    'export M=a/b\nrun "$M"',
    [
      ['export', 'M=a/b'],
      ['run', 'a/b'],
    ].slice(1),
  ],
  ['run > /dev/null 2>&1', [['run']]],
  ['run a=b', [['run', 'a=b']]],
  ['"{" x', [['{', 'x']]],
  ['run \'{"a": 1}\'', [['run', '{"a": 1}']]],
  ['run "{\\"a\\": 1}"', [['run', '{"a": 1}']]],
])('%s', (script, expected, environment) => {
  expect(words(script, environment).filter((w) => w[0] !== 'export')).toEqual(expected)
})

test('"$@" takes the arguments after the script, and is nothing without them', () => {
  expect(words('exec run "$@"', {}, ['sh', 'a b', 'c'])).toEqual([['exec', 'run', 'a b', 'c']])
  expect(words('exec run "$@"', {}, ['sh'])).toEqual([['exec', 'run']])
})

test('what only a shell can tell is said', () => {
  expect(readShellScript('run $(date)', {}).problems).toEqual(['command substitution $(date)'])
  expect(readShellScript('run $SECRET', { SECRET: undefined }).problems).toEqual(['the value of $SECRET'])
  expect(readShellScript('if true; then run; fi', {}).problems).toContain('control flow (if)')
})

test('any words, single-quoted, come back as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 8 }), (list) => {
      const script = list.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
      expect(words(script)).toEqual([list])
    }),
  )
})

test('any words, double-quoted and escaped, come back as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 8 }), (list) => {
      const script = list.map((word) => `"${word.replaceAll(/[\\"$`]/g, '\\$&')}"`).join(' \\\n ')
      expect(words(script)).toEqual([list])
    }),
  )
})

test('a quoted variable is one word whatever it holds; reading any text ends', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (value, script) => {
      expect(words('run "$X"', { X: value })).toEqual([['run', value]])
      readShellScript(script, { X: value })
    }),
  )
})
