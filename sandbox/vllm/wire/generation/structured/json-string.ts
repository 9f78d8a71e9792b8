import { NOUNS } from '../words.ts'
import type { Chance } from './chance.ts'
import { patternOf } from './json-valid.ts'

const WORDS_MAX = 3
const TRIES = 40

/** A string within a schema's limits: of its format, of its pattern, or some words. */
export function stringFor(schema: { readonly [key: string]: unknown }, chance: Chance): string {
  const least = Number(schema['minLength'] ?? 0)
  const most = Number(schema['maxLength'] ?? Infinity)
  const fitting = (text: string) => [...text].length >= least && [...text].length <= most
  if (typeof schema['pattern'] === 'string') {
    const pattern = patternOf(schema['pattern'])
    let text: string | undefined
    for (let i = 0; pattern && i < TRIES; i++) {
      text = pattern.make(chance)
      if (text !== undefined && fitting(text)) return text
    }
    if (text !== undefined) return padded(text, schema['pattern'], least)
  }
  const formatted = typeof schema['format'] === 'string' ? FORMATS[schema['format']]?.(chance) : undefined
  return formatted !== undefined && fitting(formatted) ? formatted : words(chance, least, most)
}

/** Longer by what an open end leaves free. */
function padded(text: string, pattern: string, least: number): string {
  const open = !/(?:[^\\]|^)(?:\\\\)*\$$/.test(pattern)
  return open && text.length < least ? text.padEnd(least, 'a') : text
}

function words(chance: Chance, least: number, most: number): string {
  const count = chance.small ? 1 : 1 + chance.below(WORDS_MAX)
  let text = Array.from({ length: count }, () => chance.of(NOUNS)).join(' ')
  if (chance.small) text = ''
  while (text.length < least) text += `${text === '' ? '' : ' '}${chance.of(NOUNS)}`
  if (text.length <= most) return text
  const cut = text.slice(0, most)
  return cut.endsWith(' ') ? `${cut.slice(0, -1)}s` : cut
}

const two = (value: number): string => String(value).padStart(2, '0')
const hex = (chance: Chance, length: number): string =>
  Array.from({ length }, () => chance.below(16).toString(16)).join('')
const date = (chance: Chance): string =>
  `${2000 + chance.below(40)}-${two(1 + chance.below(12))}-${two(1 + chance.below(28))}`
const time = (chance: Chance): string => `${two(chance.below(24))}:${two(chance.below(60))}:${two(chance.below(60))}Z`
const host = (chance: Chance): string => `${chance.of(NOUNS)}.example.com`

/** Texts of the formats JSON Schema names. */
const FORMATS: Readonly<Record<string, (chance: Chance) => string>> = {
  date,
  time,
  'date-time': (chance) => `${date(chance)}T${time(chance)}`,
  duration: (chance) => `P${1 + chance.below(28)}DT${1 + chance.below(23)}H`,
  email: (chance) => `${chance.of(NOUNS)}@${host(chance)}`,
  hostname: host,
  ipv4: (chance) => `192.0.2.${1 + chance.below(254)}`,
  ipv6: (chance) => `2001:db8::${1 + chance.below(9)}${hex(chance, 3)}`,
  uri: (chance) => `https://${host(chance)}/${chance.of(NOUNS)}`,
  'uri-reference': (chance) => `/${chance.of(NOUNS)}`,
  uuid: (chance) =>
    `${hex(chance, 8)}-${hex(chance, 4)}-4${hex(chance, 3)}-${chance.of(['8', '9', 'a', 'b'])}${hex(chance, 3)}-${hex(chance, 12)}`,
}
