import { badRequest } from '../errors.ts'

/** Refuses a regular expression that Rust's parser refuses, which is asked after xgrammar's. */
// follows v1/structured_output/backend_guidance.py (validate_guidance_grammar), regex-syntax/src/ast/parse.rs
export function checkRegex(pattern: string): void {
  const shown = pattern.replaceAll('/', '\\/').replaceAll('\n', '\\n')
  const problem = regexProblem(shown)
  if (problem === undefined) return
  const quoted = `"${shown.replace(/["\\]/g, '\\$&')}"`
  throw badRequest(
    `Grammar error: at 1(8): invalid regex ${quoted} (in regex): ${problem}\n   1 | start: /${shown}/\n              ^`,
  )
}

/** What is wrong with a regular expression, with its place; undefined: nothing. */
export function regexProblem(pattern: string): string | undefined {
  const parser = new RegexParser(pattern)
  const fault = parser.fault()
  if (fault === undefined)
    return parser.wordBoundary === undefined
      ? undefined
      : `lookarounds not supported yet; ${parser.wordBoundary} in regex /${pattern}/`
  const marks = `${' '.repeat(fault.at)}${'^'.repeat(fault.width)}`
  return `regex parse error:\n    ${pattern}\n    ${marks}\nerror: ${fault.message}`
}

interface Fault {
  readonly message: string
  readonly at: number
  readonly width: number
}

const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4 }
const BOUNDARIES: Readonly<Record<string, string>> = { b: 'WordUnicode', B: 'WordUnicodeNegate' }

const MISSING = 'repetition operator missing expression'

class RegexParser {
  readonly chars: readonly string[]
  readonly open: number[] = []
  at = 0
  /** There is something that can be repeated. */
  repeatable = false
  wordBoundary: string | undefined

  constructor(pattern: string) {
    this.chars = [...pattern]
  }

  fault(): Fault | undefined {
    while (this.at < this.chars.length) {
      const fault = this.step()
      if (fault !== undefined) return fault
    }
    const unclosed = this.open.at(-1)
    return unclosed === undefined ? undefined : { message: 'unclosed group', at: unclosed, width: 1 }
  }

  private step(): Fault | undefined {
    const char = this.chars[this.at]
    if (char === '(') return this.group()
    if (char === ')') return this.groupEnd()
    if (char === '[') return this.charClass()
    if (char === '{') return this.counted()
    if (char === '\\') return this.escape()
    if (char === '*' || char === '+' || char === '?') {
      if (!this.repeatable) return this.missing()
    } else this.repeatable = char !== '|'
    this.at++
    return undefined
  }

  private missing = (): Fault => ({ message: MISSING, at: this.at, width: 1 })

  private group(): Fault | undefined {
    const rest = this.chars.slice(this.at + 1).join('')
    const look = /^\?<?[=!]/.exec(rest)
    if (look !== null)
      return {
        message: 'look-around, including look-ahead and look-behind, is not supported',
        at: this.at,
        width: look[0].length + 1,
      }
    const flags = /^\?[imsuUxR-]+\)/.exec(rest)
    this.repeatable = false
    if (flags !== null) {
      this.at += flags[0].length + 1
      return undefined
    }
    const head = /^\?(?:P?<[^>]*>|[imsuUxR-]*:)/.exec(rest)
    if (head === null && rest.startsWith('?')) return this.badHead(rest)
    this.open.push(this.at)
    this.at += 1 + (head?.[0].length ?? 0)
    return undefined
  }

  private badHead(rest: string): Fault | undefined {
    if (/^\?P?</.test(rest)) return { message: 'unclosed capture group name', at: this.chars.length, width: 1 }
    if (rest.startsWith('?)')) return { message: MISSING, at: this.at + 1, width: 1 }
    if (/^\?[imsuUxR]*-[imsuUxR-]*$/.test(rest))
      return { message: 'expected flag but got end of regex', at: this.chars.length, width: 1 }
    return rest === '?'
      ? { message: 'unclosed group', at: this.at, width: 1 }
      : { message: 'unrecognized flag', at: this.at + 2, width: 1 }
  }

  private groupEnd(): Fault | undefined {
    if (this.open.pop() === undefined) return { message: 'unopened group', at: this.at, width: 1 }
    this.at++
    this.repeatable = true
    return undefined
  }

  private counted(): Fault | undefined {
    if (!this.repeatable) return this.missing()
    const start = this.at
    const rest = this.chars.slice(start).join('')
    const unclosed = /^\{\d*(?:(?<=\d),\d*)?$/.exec(rest)
    if (unclosed !== null)
      return { message: 'unclosed counted repetition', at: start, width: this.chars.length - start }
    const match = /^\{(\d+)(?:,(\d*))?\}/.exec(rest)
    if (match === null) return { message: 'repetition quantifier expects a valid decimal', at: start + 1, width: 1 }
    const [whole, least, most] = match
    if (most !== undefined && most !== '' && Number(least) > Number(most))
      return {
        message: 'invalid repetition count range, the start must be <= the end',
        at: start,
        width: whole.length,
      }
    this.at += whole.length
    return undefined
  }

  private escape(): Fault | undefined {
    const char = this.chars[this.at + 1]
    if (char !== undefined && /[1-9]/.test(char))
      return { message: 'backreferences are not supported', at: this.at, width: 2 }
    const digits = char === undefined ? undefined : HEX_DIGITS[char]
    if (digits !== undefined && this.chars[this.at + 2] !== '{' && this.at + 2 + digits > this.chars.length)
      return {
        message: 'incomplete escape sequence, reached end of pattern prematurely',
        at: this.chars.length,
        width: 1,
      }
    if (char === 'p' || char === 'P') return this.property()
    if (char === 'k' && this.chars[this.at + 2] === '<')
      return { message: 'unrecognized escape sequence', at: this.at, width: 2 }
    this.wordBoundary ??= char === undefined ? undefined : BOUNDARIES[char]
    this.at += 2
    this.repeatable = true
    return undefined
  }

  private property(): Fault | undefined {
    const rest = this.chars.slice(this.at).join('')
    const whole = (/^\\[pP](?:\{[^}]*\}|[^{])/.exec(rest) ?? [rest])[0]
    if (!isProperty(whole)) return { message: 'Unicode property not found', at: this.at, width: [...whole].length }
    this.at += [...whole].length
    this.repeatable = true
    return undefined
  }

  private charClass(): Fault | undefined {
    const start = this.at
    const rest = this.chars.slice(start).join('')
    const [head] = /^\[\^?-*\]?/.exec(rest) as RegExpExecArray
    let at = start + (rest.startsWith('[^]') ? 2 : head.length)
    while (at < this.chars.length && this.chars[at] !== ']') {
      const end = this.chars[at + 1] === '-' ? this.chars[at + 2] : undefined
      const char = this.chars[at] as string
      if (end !== undefined && !']\\-['.includes(end) && char !== '\\') {
        if ((char.codePointAt(0) ?? 0) > (end.codePointAt(0) ?? 0))
          return { message: 'invalid character class range, the start must be <= the end', at, width: 3 }
        at += 3
      } else at += char === '\\' ? 2 : 1
    }
    if (at >= this.chars.length) return { message: 'unclosed character class', at: start, width: head.length }
    this.at = at + 1
    this.repeatable = true
    return undefined
  }
}

/** Whether a property of Unicode has that name. Negations by `^` and one-letter names are Rust's own. */
function isProperty(escaped: string): boolean {
  const name = escaped.slice(2).replace(/^\{\^?|\}$/g, '')
  return [name, `Script=${name}`].some((property) => {
    try {
      return new RegExp(`\\p{${property}}`, 'u') !== undefined
    } catch {
      return false
    }
  })
}
