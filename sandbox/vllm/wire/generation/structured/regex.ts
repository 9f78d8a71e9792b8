import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp'
import type { Chance } from './chance.ts'

/** More repetitions than asked for at least, where there is no upper limit. */
const MORE_MAX = 6
const TRIES = 40
const PRINTABLE: readonly [number, number] = [0x20, 0x7e]
/** What may follow where an end is open. */
const AROUND = ['', '', 'a', 'en', 'ist', 'or', 'um']
const WORD_LETTERS = 'etaoinshrdlucmfwypvbgk'

/** A regular expression whose texts can be made up. */
export interface TextPattern {
  /** A text that it matches as a whole; undefined where none was found. */
  make(chance: Chance): string | undefined
  /** Matches as a whole. */
  matches(text: string): boolean
}

/** Reads an expression in the syntax of Python, Rust or ECMAScript. Throws a SyntaxError where it is none. */
export function textPattern(source: string): TextPattern {
  const { pattern, ignoreCase } = asEcmaScript(source)
  const [ast, unicode] = parse(pattern)
  const whole = new RegExp(`^(?:${pattern})$`, `s${unicode ? 'u' : ''}${ignoreCase ? 'i' : ''}`)
  const matches = (text: string) => whole.test(text)
  const make = (chance: Chance) => {
    for (let i = 0; i < TRIES; i++) {
      const text = new Writer(chance).write(ast)
      if (matches(text)) return text
    }
    return undefined
  }
  return { make, matches }
}

/** A text in which the expression is found: anchors count, what is around it does not. */
export const textAround = (source: string): TextPattern => {
  const start = /^(?:\^|\\A)/.test(source)
  const end = /(?:[^\\]|^)(?:\\\\)*(?:\$|\\[zZ])$/.test(source)
  const pattern = textPattern(
    start && end ? source : `${start ? '' : '[\\s\\S]*?'}(?:${source})${end ? '' : '[\\s\\S]*'}`,
  )
  const bare = textPattern(source)
  const make = (chance: Chance): string | undefined => {
    const inner = bare.make(chance)
    if (inner === undefined) return pattern.make(chance)
    const text = end ? inner : inner + chance.of(AROUND)
    return chance.small || !pattern.matches(text) ? inner : text
  }
  return { make, matches: pattern.matches }
}

function asEcmaScript(source: string): { readonly pattern: string; readonly ignoreCase: boolean } {
  const flags = /^\(\?([a-z]+)\)/.exec(source)?.[1] ?? ''
  const pattern = source
    .slice(flags === '' ? 0 : flags.length + 3)
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/((?:^|[^\\])(?:\\\\)*)\\A/g, '$1^')
    .replace(/((?:^|[^\\])(?:\\\\)*)\\[zZ]/g, '$1$')
  return { pattern, ignoreCase: flags.includes('i') }
}

/** With Unicode's rules where it can be. */
function parse(pattern: string): [AST.Pattern, boolean] {
  const parser = new RegExpParser({ ecmaVersion: 2025 })
  try {
    return [parser.parsePattern(pattern, 0, pattern.length, { unicode: true, unicodeSets: false }), true]
  } catch {
    return [parser.parsePattern(pattern, 0, pattern.length, { unicode: false, unicodeSets: false }), false]
  }
}

/** Walks through an expression and writes what each part of it says. */
class Writer {
  private readonly chance: Chance
  private readonly groups = new Map<AST.CapturingGroup, string>()

  constructor(chance: Chance) {
    this.chance = chance
  }

  write({ alternatives }: { readonly alternatives: readonly AST.Alternative[] }): string {
    const { chance } = this
    const chosen = chance.small ? shortest(alternatives) : chance.of(alternatives)
    return chosen.elements.map((element) => this.element(element)).join('')
  }

  private element(element: AST.Element): string {
    switch (element.type) {
      case 'Character':
        return String.fromCodePoint(element.value)
      case 'CharacterSet':
      case 'CharacterClass':
        return String.fromCodePoint(this.oneOf(element))
      case 'Group':
        return this.write(element)
      case 'CapturingGroup': {
        const text = this.write(element)
        this.groups.set(element, text)
        return text
      }
      case 'Backreference': {
        const { resolved } = element
        return this.groups.get(Array.isArray(resolved) ? resolved[0]! : resolved) ?? ''
      }
      case 'Quantifier': {
        const { min, max } = element
        const count = this.chance.between(min, Math.min(max, min + MORE_MAX))
        return Array.from({ length: count }, () => this.element(element.element)).join('')
      }
      default:
        return ''
    }
  }

  private oneOf(set: AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass): number {
    const ranges = rangesOf(set as AST.CharacterClassElement | AST.CharacterClass)
    const letters = [...WORD_LETTERS].map((letter) => letter.codePointAt(0)!)
    const readable = letters.filter((letter) => ranges.some(([from, to]) => letter >= from && letter <= to))
    if (readable.length > 3 && this.chance.share() < 0.8) return this.chance.of(readable)
    const sizes = ranges.map(([from, to]) => to - from + 1)
    let at = this.chance.below(sizes.reduce((sum, size) => sum + size, 0))
    for (const [i, size] of sizes.entries()) {
      if (at < size) return ranges[i]![0] + at
      at -= size
    }
    return 0x20
  }
}

const lengthOf = (alternative: AST.Alternative): number => {
  let length = 0
  visitRegExpAST(alternative, {
    onCharacterEnter: () => length++,
    onCharacterSetEnter: () => length++,
    onCharacterClassEnter: () => length++,
  })
  return length
}

const shortest = (alternatives: readonly AST.Alternative[]): AST.Alternative =>
  alternatives.reduce((best, each) => (lengthOf(each) < lengthOf(best) ? each : best))

type Range = readonly [from: number, to: number]

const DIGITS: readonly Range[] = [[0x30, 0x39]]
const WORDS: readonly Range[] = [
  [0x61, 0x7a],
  [0x41, 0x5a],
  [0x30, 0x39],
  [0x5f, 0x5f],
]
const LETTERS: readonly Range[] = [
  [0x61, 0x7a],
  [0x41, 0x5a],
]

/** Characters a set has, printable ones of ASCII where it is large. */
function rangesOf(set: AST.CharacterClassElement | AST.CharacterClass): readonly Range[] {
  switch (set.type) {
    case 'Character':
      return [[set.value, set.value]]
    case 'CharacterClassRange':
      return [[set.min.value, set.max.value]]
    case 'CharacterClass': {
      const ranges = set.elements.flatMap((element) => rangesOf(element as AST.CharacterClassElement))
      return set.negate ? complement(ranges) : ranges
    }
    case 'CharacterSet':
      return rangesOfSet(set)
    default:
      return [PRINTABLE]
  }
}

function rangesOfSet(set: AST.CharacterSet): readonly Range[] {
  if (set.kind === 'any') return [PRINTABLE]
  const ranges =
    set.kind === 'digit'
      ? DIGITS
      : set.kind === 'word'
        ? WORDS
        : set.kind === 'space'
          ? [[0x20, 0x20] as const]
          : LETTERS
  return set.negate ? complement(ranges) : ranges
}

/** What of the printable characters is left; some letters beyond, where nothing is. */
function complement(ranges: readonly Range[]): readonly Range[] {
  const left: Range[] = []
  for (let code = PRINTABLE[0]; code <= PRINTABLE[1]; code++)
    if (!ranges.some(([from, to]) => code >= from && code <= to)) left.push([code, code])
  return left.length > 0 ? left : [[0xe0, 0xff]]
}
