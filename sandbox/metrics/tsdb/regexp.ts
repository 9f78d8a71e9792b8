/**
 * RE2 expressions as Prometheus reads them (Go's regexp/syntax with Perl flags), as JavaScript's. What RE2 does not have
 * (lookaround, backreferences) is refused, what it has and JavaScript has not is translated.
 */

/** An expression RE2 would not take. `message` is what comes after Go's «error parsing regexp: ». */
export class RegexpError extends Error {
  override readonly name = 'RegexpError'
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

/** RE2's classes are ASCII's; JavaScript's \s and, ignoring case with Unicode, \w are not. */
const PERL_CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  s: '\\t\\n\\f\\r ',
}

/** An expression that must match the whole text, where `.` matches a line's end too, as in matchers and label_replace. */
export function anchored(source: string): RegExp {
  return new RegExp(`^(?:${translate(source)})$`, 'su')
}

/** An expression that may match anywhere in a text. */
export function unanchored(source: string): RegExp {
  return new RegExp(translate(source), 'u')
}

/** JavaScript's form of an RE2 expression. Throws a `RegexpError`. */
export function translate(source: string): string {
  const text = new Translation(source).run()
  try {
    new RegExp(text, 'su')
  } catch (error) {
    throw new RegexpError(`${error instanceof Error ? error.message : String(error)}: \`${source}\``)
  }
  return text
}

class Translation {
  private readonly source: string
  private at = 0
  private out = ''
  /** Groups opened for flags that hold until the end of the group they stand in: `(?i)x` is `(?i:x)`. One list a nesting level. */
  private readonly extra: string[][] = [[]]

  constructor(source: string) {
    this.source = source
  }

  run(): string {
    while (this.at < this.source.length) this.step()
    if (this.extra.length > 1) throw new RegexpError(`missing closing ): \`${this.source}\``)
    return this.out + ')'.repeat(this.extra[0]!.length)
  }

  private step(): void {
    const c = this.source[this.at]!
    if (c === '\\') this.escape(false)
    else if (c === '[') this.characterClass()
    else if (c === '(') this.open()
    else if (c === ')') this.close()
    else if (c === '|') this.alternative()
    else if (c === '{' && !/^\{\d+(,\d*)?\}/.test(this.source.slice(this.at))) this.emit('\\{', 1)
    else if (c === '}' && !/\{\d+(,\d*)?$/.test(this.source.slice(0, this.at))) this.emit('\\}', 1)
    else if (c === ']') this.emit('\\]', 1)
    else if ((c === '^' || c === '$') && /[*+?{]/.test(this.source[this.at + 1] ?? '')) this.emit(`(?:${c})`, 1)
    else if (
      /^(?:[*+?]|\{\d+(?:,\d*)?\})/.test(this.source.slice(this.at)) &&
      /(?:^|[(|])$|\(\?[a-z-]*:$/.test(this.out)
    )
      throw new RegexpError(`missing argument to repetition operator: \`${c}\``)
    else if (/^(?:[*+?]|\{\d+(?:,\d*)?\})\??[*+]/.test(this.source.slice(this.at)))
      throw new RegexpError(`invalid nested repetition operator: \`${this.source.slice(this.at, this.at + 2)}\``)
    else this.emit(c, 1)
  }

  private emit(text: string, width: number): void {
    this.out += text
    this.at += width
  }

  private close(): void {
    if (this.extra.length === 1) throw new RegexpError(`unexpected ): \`${this.source}\``)
    this.emit(`)${')'.repeat(this.extra.pop()!.length)}`, 1)
  }

  private open(): void {
    const rest = this.source.slice(this.at)
    const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest)
    const flags = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest)
    if (named) {
      this.extra.push([])
      this.emit(`(?<${named[1]}>`, named[0].length)
    } else if (flags) {
      this.flags(flags)
    } else if (rest.startsWith('(?')) {
      throw new RegexpError(`invalid or unsupported Perl syntax: \`${/^\(\?[imsU-]*.?/.exec(rest)![0]}\``)
    } else {
      this.extra.push([])
      this.emit('(', 1)
    }
  }

  private flags([whole, on, off, end]: RegExpExecArray): void {
    if (`${on}${off ?? ''}`.includes('U')) throw new RegexpError(`ungreedy flag U is not supported: \`${whole}\``)
    const set = [...new Set(on)].join('')
    const unset = [...new Set(off ?? '')].filter((flag) => !set.includes(flag)).join('')
    const opening = set || unset ? `(?${set}${unset ? `-${unset}` : ''}:` : '(?:'
    this.emit(opening, whole.length)
    if (end === ':') this.extra.push([])
    else this.extra.at(-1)!.push(opening)
  }

  /** Flags hold for the alternatives that follow too, but do not make them one with what is before the flags. */
  private alternative(): void {
    const openings = this.extra.at(-1)!
    this.emit(`${')'.repeat(openings.length)}|${openings.join('')}`, 1)
  }

  private escape(inClass: boolean): void {
    const c = this.source[this.at + 1]
    if (c === undefined) throw new RegexpError('trailing backslash at end of expression: ``')
    const lower = c.toLowerCase()
    if (PERL_CLASSES[lower]) {
      const members = PERL_CLASSES[lower]!
      if (!inClass) this.emit(c === lower ? `[${members}]` : `[^${members}]`, 2)
      else if (c === lower) this.emit(members, 2)
      else this.emit(lower === 'd' ? '\\D' : lower === 'w' ? '\\W' : '\\S', 2)
    } else if (/[bB]/.test(c) && !inClass) this.emit(`\\${c}`, 2)
    else if (c === 'A' && !inClass) this.emit('(?-m:^)', 2)
    else if (c === 'z' && !inClass) this.emit('(?-m:$)', 2)
    else if (c === 'Q' && !inClass) this.quoted()
    else if (/[pP]/.test(c)) this.unicodeClass()
    else if (/[aftnrv]/.test(c)) this.emit(c === 'a' ? '\\x07' : `\\${c}`, 2)
    else if (c === 'x') this.hex()
    else if (/[0-7]/.test(c)) this.octal()
    else if (/[0-9A-Za-z]/.test(c)) throw new RegexpError(`invalid escape sequence: \`\\${c}\``)
    else this.emit(literal(c), 2)
  }

  private quoted(): void {
    const end = this.source.indexOf('\\E', this.at)
    const text = this.source.slice(this.at + 2, end < 0 ? undefined : end)
    this.emit([...text].map(literal).join(''), text.length + (end < 0 ? 2 : 4))
  }

  private unicodeClass(): void {
    const match = /^\\([pP])(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/.exec(this.source.slice(this.at))
    if (!match) throw new RegexpError(`invalid character class range: \`${this.source.slice(this.at, this.at + 3)}\``)
    const [whole, p, not, long, short] = match
    const negated = (p === 'P') !== (not === '^')
    const name = (long ?? short)!
    this.emit(`\\${negated ? 'P' : 'p'}{${name.length > 2 ? `Script=${name}` : name}}`, whole.length)
  }

  private hex(): void {
    const match = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(this.source.slice(this.at))
    if (!match) throw new RegexpError(`invalid escape sequence: \`${this.source.slice(this.at, this.at + 2)}\``)
    this.emit(`\\u{${match[1] ?? match[2]}}`, match[0].length)
  }

  private octal(): void {
    const match = /^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(this.source.slice(this.at))
    if (!match) throw new RegexpError(`invalid escape sequence: \`${this.source.slice(this.at, this.at + 2)}\``)
    this.emit(`\\u{${Number.parseInt(match[1]!, 8).toString(16)}}`, match[0].length)
  }

  private characterClass(): void {
    const start = this.at
    this.emit('[', 1)
    if (this.source[this.at] === '^') this.emit('^', 1)
    for (let first = true; ; first = false) {
      const rest = this.source.slice(this.at)
      if (rest === '') throw new RegexpError(`missing closing ]: \`${this.source.slice(start)}\``)
      const posix = /^\[:(\^?)(\w+):\]/.exec(rest)
      if (rest[0] === ']' && !first) break
      if (posix) this.posix(posix)
      else if (rest[0] === '\\') this.escape(true)
      else if (rest[0] === '-') this.emit(this.isRange(first) ? '-' : '\\-', 1)
      else this.emit(/[[\]]/.test(rest[0]!) ? `\\${rest[0]}` : rest[0]!, 1)
    }
    this.emit(']', 1)
  }

  /** Whether the hyphen here stands between two ends of a range. */
  private isRange(first: boolean): boolean {
    return !first && this.source[this.at + 1] !== ']' && this.source[this.at - 1] !== '['
  }

  private posix([whole, not, name]: RegExpExecArray): void {
    const members = POSIX_CLASSES[name!]
    if (members === undefined || not) throw new RegexpError(`invalid character class range: \`${whole}\``)
    this.emit(members, whole.length)
  }
}

const literal = (c: string): string => (/[\^$\\.*+?()[\]{}|/-]/.test(c) ? (c === '-' ? '\\x2D' : `\\${c}`) : c)
