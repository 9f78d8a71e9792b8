import { formulaError, type Node, type Token, tokensOf, UnsupportedFormulaError } from './syntax.ts'

/** Reads a formula of the expression language of github.com/expr-lang/expr. Throws a KedaError or an UnsupportedFormulaError. */
// follows github.com/expr-lang/expr/parser (parser.go, operator/operator.go)
export function parseFormula(text: string): Node {
  const parser = new Parser(text)
  const node = parser.sequence()
  parser.expectEnd()
  return node
}

const BINARY: Readonly<Record<string, number>> = {
  or: 10,
  '||': 10,
  and: 15,
  '&&': 15,
  '==': 20,
  '!=': 20,
  '<': 20,
  '>': 20,
  '>=': 20,
  '<=': 20,
  '+': 30,
  '-': 30,
  '*': 60,
  '/': 60,
  '%': 60,
  '**': 100,
  '^': 100,
  '??': 500,
}
const UNARY: Readonly<Record<string, number>> = { not: 50, '!': 50, '-': 90, '+': 90 }
const COMPARISONS = ['<', '>', '>=', '<=']
const OTHER_OPERATORS = ['|', '..', '.', '?.', '[', '::', 'in', 'matches', 'contains', 'startsWith', 'endsWith']
const OPERATOR_WORDS = ['not', 'and', 'or', 'if', 'else', 'let', 'in', 'matches', 'contains', 'startsWith', 'endsWith']

/** Functions of numbers or of one list of numbers, and those that take a predicate over a list. */
const FUNCTIONS = ['abs', 'ceil', 'floor', 'round', 'int', 'float', 'max', 'min', 'mean', 'median', 'len']
const WITH_PREDICATE = ['count', 'sum', 'all', 'any', 'none', 'one']

class Parser {
  private readonly text: string
  private readonly tokens: readonly Token[]
  private position = 0
  private depth = 0

  constructor(text: string) {
    this.text = text
    this.tokens = tokensOf(text)
  }

  sequence(): Node {
    const node = this.expression(0)
    if (this.is(';')) throw new UnsupportedFormulaError('a sequence (;)')
    return node
  }

  expectEnd(): void {
    if (this.current.kind !== 'end') this.unexpected()
  }

  private get current(): Token {
    return this.tokens[this.position]!
  }

  private is(text: string): boolean {
    return this.current.kind !== 'number' && this.current.text === text
  }

  private take(): Token {
    return this.tokens[this.position++]!
  }

  private expect(text: string): Token {
    if (!this.is(text)) this.unexpected()
    return this.take()
  }

  private unexpected(): never {
    const { kind, text, at } = this.current
    const bracket = kind === 'sign' && '()[]{}'.includes(text)
    const sort = { number: 'Number', word: 'Identifier', sign: 'Operator', end: 'EOF' }[kind]
    const named = bracket ? 'Bracket' : OPERATOR_WORDS.includes(text) ? 'Operator' : sort
    const shown = kind === 'end' ? 'EOF' : `${named}(${JSON.stringify(text)})`
    throw formulaError(this.text, at, `unexpected token ${shown}`)
  }

  private expression(precedence: number): Node {
    if (precedence === 0 && this.is('let')) return this.declaration()
    if (precedence === 0 && this.is('if')) return this.conditionalBlock()
    let left = this.primary()
    let previous = ''
    for (;;) {
      const token = this.current
      const binds = token.kind === 'number' ? undefined : BINARY[token.text]
      if (binds === undefined && OTHER_OPERATORS.includes(token.text))
        throw new UnsupportedFormulaError(`operator ${token.text}`)
      if (binds === undefined || binds < precedence) break
      this.take()
      if (previous === '??' && token.text !== '??')
        throw formulaError(
          this.text,
          token.at,
          `Operator (${token.text}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.`,
        )
      left = COMPARISONS.includes(token.text) ? this.comparison(left, token) : this.binary(left, token, binds)
      previous = token.text
    }
    return precedence === 0 ? this.conditional(left) : left
  }

  private binary(left: Node, { text: sign, at }: Token, binds: number): Node {
    const toTheRight = sign === '**' || sign === '^'
    return { op: 'binary', sign, left, right: this.expression(toTheRight ? binds : binds + 1), at }
  }

  /** `a < b < c` is `a < b && b < c`. */
  private comparison(first: Node, operator: Token): Node {
    let root: Node | undefined
    let [left, token] = [first, operator]
    for (;;) {
      const right = this.expression(BINARY['<']! + 1)
      const compared: Node = { op: 'binary', sign: token.text, left, right, at: token.at }
      root = root ? { op: 'binary', sign: '&&', left: root, right: compared, at: token.at } : compared
      left = right
      if (!COMPARISONS.includes(this.current.text)) return root
      token = this.take()
    }
  }

  private conditional(condition: Node): Node {
    let node = condition
    while (this.is('?')) {
      const { at } = this.take()
      const then = this.is(':') ? node : this.expression(0)
      this.expect(':')
      node = { op: 'choose', when: node, then, otherwise: this.expression(0), at }
    }
    return node
  }

  private conditionalBlock(): Node {
    const { at } = this.take()
    const when = this.expression(0)
    const then = this.block()
    this.expect('else')
    return { op: 'choose', when, then, otherwise: this.is('if') ? this.conditionalBlock() : this.block(), at }
  }

  private block(): Node {
    this.expect('{')
    const node = this.sequence()
    this.expect('}')
    return node
  }

  private declaration(): Node {
    this.take()
    const { text: name, at, kind } = this.take()
    if (kind !== 'word') this.unexpected()
    this.expect('=')
    const value = this.expression(0)
    this.expect(';')
    return { op: 'let', name, value, within: this.sequence(), at }
  }

  private primary(): Node {
    const token = this.current
    const unary = token.kind === 'number' ? undefined : UNARY[token.text]
    if (unary !== undefined) {
      this.take()
      return { op: 'unary', sign: token.text === 'not' ? '!' : token.text, of: this.expression(unary), at: token.at }
    }
    if (this.is('(')) {
      this.take()
      const node = this.sequence()
      this.expect(')')
      return node
    }
    if (this.is('[')) return { op: 'array', items: this.list('[', ']'), at: token.at }
    if (this.is('{')) throw new UnsupportedFormulaError('a map')
    if (this.is('#') && this.depth > 0) {
      this.take()
      return { op: 'item', at: token.at }
    }
    if (token.kind === 'number') return numberNode(this.take())
    if (token.kind !== 'word' || OPERATOR_WORDS.includes(token.text)) this.unexpected()
    return this.word(this.take())
  }

  private word({ text, at }: Token): Node {
    if (text === 'true' || text === 'false') return { op: 'bool', value: text === 'true', at }
    if (text === 'nil') return { op: 'nil', at }
    if (!this.is('(')) return { op: 'name', name: text, at }
    if (FUNCTIONS.includes(text)) return { op: 'call', name: text, args: this.list('(', ')'), at }
    if (!WITH_PREDICATE.includes(text)) throw new UnsupportedFormulaError(`function ${text}`)
    this.expect('(')
    const list = this.expression(0)
    let predicate: Node | undefined
    if (this.is(',')) {
      this.take()
      this.depth++
      predicate = this.is('{') ? this.block() : this.expression(0)
      this.depth--
    }
    this.expect(')')
    return { op: 'call', name: text, args: [list], predicate, at }
  }

  private list(open: string, close: string): Node[] {
    this.expect(open)
    const items: Node[] = []
    while (!this.is(close)) {
      if (items.length > 0) this.expect(',')
      if (this.is(close)) break
      items.push(this.expression(0))
    }
    this.take()
    return items
  }
}

function numberNode({ text, at }: Token): Node {
  const plain = text.replaceAll('_', '')
  const isFloat = /[.eE]/.test(plain) && !/^0[xX]/.test(plain)
  return { op: isFloat ? 'float' : 'int', value: Number(plain), at }
}
