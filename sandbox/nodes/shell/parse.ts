import { type Token, tokensOf, type Variable } from './tokens.ts'

/** A script as a tree. */
export type Node =
  | { readonly kind: 'simple'; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'not'; readonly body: Node }
  | { readonly kind: 'if'; readonly test: Node; readonly yes: Node; readonly no: Node | undefined }
  | { readonly kind: 'loop'; readonly test: Node; readonly body: Node; readonly until: boolean }
  | { readonly kind: 'times'; readonly count: number; readonly body: Node }

/** Reads a script of plain commands, lists, `if`, `while`, `until` and `for`; undefined when there is more to it. */
export function parseScript(script: string, variable?: Variable): Node | undefined {
  const counted = script.replace(
    /\bfor\s+(\w+)\s+in\s+(?:\$\(seq\s+(\d+)\s+(\d+)\)|\{(\d+)\.\.(\d+)\})/g,
    (...match) => {
      const [name, from, to] = [match[1], Number(match[2] ?? match[4]), Number(match[3] ?? match[5])]
      return `for ${name} in ${Array.from({ length: Math.min(Math.max(0, to - from + 1), 10_000) }, (_, i) => from + i).join(' ')}`
    },
  )
  const tokens = tokensOf(counted, variable)
  if (!tokens) return undefined
  const parser = new Parser(tokens)
  try {
    return parser.whole()
  } catch (error) {
    if (error instanceof NotRead) return undefined
    throw error
  }
}

class NotRead extends Error {}

const KEYWORDS = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'while',
  'until',
  'for',
  'do',
  'done',
  '{',
  '}',
  'case',
  'esac',
])

class Parser {
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  whole(): Node {
    const list = this.list([])
    if (this.at < this.tokens.length) throw new NotRead()
    return list
  }

  private get keyword(): string | undefined {
    const token = this.tokens[this.at]
    return token?.kind === 'word' && !token.quoted && KEYWORDS.has(token.text) ? token.text : undefined
  }

  private isOperator(...texts: string[]): boolean {
    const token = this.tokens[this.at]
    return token?.kind === 'operator' && texts.includes(token.text)
  }

  private expect(keyword: string): void {
    if (this.keyword !== keyword) throw new NotRead()
    this.at++
  }

  private skip(...operators: string[]): void {
    while (this.isOperator(...operators)) this.at++
  }

  private list(ends: readonly string[]): Node {
    const items: Node[] = []
    for (this.skip(';', '\n'); this.at < this.tokens.length; this.skip(';', '\n')) {
      if (this.isOperator(')') || (this.keyword && ends.includes(this.keyword))) break
      items.push(this.andOr())
      if (this.at < this.tokens.length && !this.isOperator(';', '\n', ')')) throw new NotRead()
    }
    return items.length === 1 ? items[0]! : { kind: 'list', items }
  }

  private andOr(): Node {
    let left = this.command()
    while (this.isOperator('&&', '||')) {
      const kind = (this.tokens[this.at++] as Token).text === '&&' ? 'and' : 'or'
      this.skip('\n')
      left = { kind, left, right: this.command() }
    }
    return left
  }

  private command(): Node {
    const token = this.tokens[this.at]
    if (token?.kind === 'word' && token.text === '!' && !token.quoted) {
      this.at++
      return { kind: 'not', body: this.command() }
    }
    if (this.isOperator('(')) {
      this.at++
      const body = this.list([])
      if (!this.isOperator(')')) throw new NotRead()
      this.at++
      return body
    }
    switch (this.keyword) {
      case undefined:
        return this.simple()
      case 'if':
        return this.conditional()
      case 'while':
      case 'until':
        return this.loop()
      case 'for':
        return this.counted()
      case '{': {
        this.at++
        const body = this.list(['}'])
        this.expect('}')
        return body
      }
      default:
        throw new NotRead()
    }
  }

  private simple(): Node {
    const words: string[] = []
    for (let token = this.tokens[this.at]; token?.kind === 'word'; token = this.tokens[++this.at])
      words.push(token.text)
    if (words.length === 0) throw new NotRead()
    return { kind: 'simple', words }
  }

  private conditional(): Node {
    this.at++
    const test = this.list(['then'])
    this.expect('then')
    const yes = this.list(['elif', 'else', 'fi'])
    if (this.keyword === 'elif') return { kind: 'if', test, yes, no: this.conditional() }
    let no: Node | undefined
    if (this.keyword === 'else') {
      this.at++
      no = this.list(['fi'])
    }
    this.expect('fi')
    return { kind: 'if', test, yes, no }
  }

  private loop(): Node {
    const until = this.keyword === 'until'
    this.at++
    const test = this.list(['do'])
    this.expect('do')
    const body = this.list(['done'])
    this.expect('done')
    return { kind: 'loop', test, body, until }
  }

  /** `for x in a b c`: the words count, not what they are. */
  private counted(): Node {
    this.at++
    const header = this.simple() as { words: readonly string[] }
    if (header.words[1] !== 'in') throw new NotRead()
    this.skip(';', '\n')
    this.expect('do')
    const body = this.list(['done'])
    this.expect('done')
    return { kind: 'times', count: header.words.length - 2, body }
  }
}
