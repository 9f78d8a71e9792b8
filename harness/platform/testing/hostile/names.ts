import { and, either, type HostileCase, hostile, WELL } from './case.ts'

/** Texts that would do something to a terminal, a log or a reader if they were printed as they are. */
const NASTY: readonly (readonly [what: string, escaped: string])[] = [
  ['a colour', '\\e[31mred\\e[0m'],
  ['a cleared screen', '\\e[2J\\e[1;1H'],
  ['a window title', '\\e]0;owned\\a'],
  ['a link', '\\e]8;;http://example.com\\e\\\\click\\e]8;;\\e\\\\'],
  ['a C1 control', '\\x9b31m'],
  ['a carriage return', 'PASS\\rFAIL'],
  ['a new line', 'a\\n ✓ everything PASS'],
  ['right-to-left', '\\u202egnp.exe'],
  ['isolated right-to-left', '\\u2067abc\\u2069'],
  ['no width', 'a\\u200bb'],
  ['a NUL', 'a\\0b'],
  ['half a surrogate', 'a\\ud800b'],
  ['a workflow command', '::error file=x::owned'],
  ['a path upwards', '../../../../etc/passwd'],
]

/** Where a text may stand that an error or a report repeats. */
const PLACES: readonly (readonly [place: string, put: (text: string) => string])[] = [
  ['a name', (text) => WELL.replace('{name: chat}', `{name: "${text}"}`)],
  ['a kind', (text) => and(`apiVersion: v1\nkind: "${text}"\nmetadata: {name: a}`)],
  ['a field', (text) => WELL.replace('replicas: 1', `"${text}": 1`)],
  ['an enum', (text) => WELL.replace('          ports:', `          imagePullPolicy: "${text}"\n          ports:`)],
  ['a quantity', (text) => WELL.replace('nvidia.com/gpu: 1', `nvidia.com/gpu: "${text}"`)],
]

export const nameCases = (): HostileCase[] => [
  ...PLACES.flatMap(([place, put]) =>
    NASTY.map(([what, text]) =>
      hostile(`${what} in ${place}`, put(text), place === 'a kind' ? { expect: 'either' } : {}),
    ),
  ),
  ...NASTY.map(([what, text]) => either(`${what} in an image`, WELL.replace('vllm/vllm-openai:v0.11.0', `"${text}"`))),
  ...NASTY.map(([what, text]) => either(`${what} in an argument`, WELL.replace('--max-model-len=4096', text))),
]
