import { KedaError } from '../errors.ts'

/** An expression of the formula language, with where it stands in the text. */
export type Node = { readonly at: number } & (
  | { readonly op: 'int' | 'float'; readonly value: number }
  | { readonly op: 'bool'; readonly value: boolean }
  | { readonly op: 'nil' | 'item' }
  | { readonly op: 'name'; readonly name: string }
  | { readonly op: 'array'; readonly items: readonly Node[] }
  | { readonly op: 'unary'; readonly sign: string; readonly of: Node }
  | { readonly op: 'binary'; readonly sign: string; readonly left: Node; readonly right: Node }
  | { readonly op: 'choose'; readonly when: Node; readonly then: Node; readonly otherwise: Node }
  | { readonly op: 'let'; readonly name: string; readonly value: Node; readonly within: Node }
  | { readonly op: 'call'; readonly name: string; readonly args: readonly Node[]; readonly predicate?: Node }
)

/** A formula that the language has and this reader has not. */
export class UnsupportedFormulaError extends Error {
  override readonly name = 'UnsupportedFormulaError'
  readonly code = 'KEDA_FORMULA_UNSUPPORTED'
  readonly construct: string

  constructor(construct: string) {
    super(
      `${construct} in a scalingModifiers formula is not modelled; use arithmetic, comparisons, ?:, ??, count, sum and the like`,
    )
    this.construct = construct
  }
}

/** An error with the place marked, as expr-lang/expr prints it. */
export function formulaError(text: string, at: number, message: string): KedaError {
  const before = text.slice(0, at).split('\n')
  const column = before.at(-1)!.length
  const line = text.split('\n')[before.length - 1]
  return new KedaError(`${message} (${before.length}:${column + 1})\n | ${line}\n | ${'.'.repeat(column)}^`)
}

/** A piece of text. */
export interface Token {
  readonly kind: 'number' | 'word' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

const TOKEN =
  /(\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?)|([A-Za-z_$][\w$]*)|(\*\*|\?\?|\?\.|==|!=|<=|>=|&&|\|\||\.\.|::|[-+*/%^<>!?:;,()[\]{}#=|.])/y

/** Cuts a formula into tokens. Throws a KedaError, or an UnsupportedFormulaError for strings. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) {
      if (/["'`]/.test(text[at]!)) throw new UnsupportedFormulaError('a string')
      throw formulaError(text, at, `unrecognized character: U+${hex(text.codePointAt(at)!)} '${text[at]}'`)
    }
    const [whole, blank, number, word] = match
    if (blank === undefined) tokens.push({ kind: number ? 'number' : word ? 'word' : 'sign', text: whole, at })
    at += whole.length
  }
  tokens.push({ kind: 'end', text: '', at: text.length })
  return tokens
}

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0')
