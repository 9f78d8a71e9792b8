import { badRequest } from '../../errors.ts'
import { type Expression, type Grammar, unescaped } from './gbnf.ts'

/** Whether a grammar is written for Lark. */
// follows grammar_is_likely_lark in vllm/v1/structured_output/utils.py
export function isLark(source: string): boolean {
  for (const line of source.split('\n')) {
    const text = line.replace(/(?:#|\/\/).*$/, '').trim()
    if (text === '') continue
    if (text.includes('::=')) return false
  }
  return (
    source.split('\n').some((line) => /^\s*[?!]?\w+(?:\.\d+)?\s*:/.test(line) || /^\s*%/.test(line)) &&
    /(^|\n)\s*\??start\s*:/.test(source)
  )
}

const TOKEN = /\s+|\/\/[^\n]*|#[^\n]*|"(?:\\[\s\S]|[^"\\])*"i?|\/(?:\\[\s\S]|[^/\\\n])+\/[imsux]*|\.\.|->|[\w]+|[^\s]/g
const MORE = Number.POSITIVE_INFINITY

/** Reads rules and terminals; directives are overlooked. Throws a WireError. */
export function parseLark(source: string): Grammar {
  const rules = new Map<string, Expression>()
  for (const [, name, body] of rulesOf(source)) rules.set(name!, new Reader(body!).choice())
  for (const [name, expression] of rules)
    for (const used of namesIn(expression)) if (!rules.has(used)) throw refused(`unknown name: "${used}"`, source, name)
  return { rules, start: 'start' }
}

/** A rule goes on until the next begins. */
const rulesOf = (source: string) =>
  source
    .replace(/^\s*%.*$/gm, '')
    .matchAll(/(?:^|\n)[ \t]*[?!]?(\w+)(?:\.\d+)?[ \t]*:([\s\S]*?)(?=\n[ \t]*[?!]?\w+(?:\.\d+)?[ \t]*:|$(?![\s\S]))/g)

function refused(text: string, source: string, rule: string) {
  const lines = source.split('\n')
  const line = lines.findIndex((each) => each.trimStart().startsWith(rule))
  const column = (lines[line] ?? '').indexOf(text.slice(text.indexOf('"') + 1, -1), rule.length) + 1
  const shown = `   ${line + 1} | ${lines[line] ?? ''}`
  return badRequest(`Grammar error: at ${line + 1}(${column}): ${text}\n${shown}\n${' '.repeat(6 + column)}^`)
}

function* namesIn(expression: Expression): Generator<string> {
  if (expression.kind === 'rule') yield expression.name
  else if (expression.kind === 'repeat') yield* namesIn(expression.part)
  else if (expression.kind === 'sequence') for (const part of expression.parts) yield* namesIn(part)
  else if (expression.kind === 'choice') for (const each of expression.of) yield* namesIn(each)
}

class Reader {
  private readonly tokens: string[]
  private at = 0

  constructor(body: string) {
    this.tokens = [...body.matchAll(TOKEN)].map(([token]) => token).filter((token) => !/^(?:\s|\/\/|#)/.test(token))
  }

  choice(): Expression {
    const alternatives = [this.sequence()]
    while (this.take('|')) alternatives.push(this.sequence())
    return alternatives.length === 1 ? alternatives[0]! : { kind: 'choice', of: alternatives }
  }

  private sequence(): Expression {
    const parts: Expression[] = []
    for (let item = this.item(); item; item = this.item()) parts.push(this.repeated(item))
    if (this.take('->')) this.at++
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  private item(): Expression | undefined {
    const token = this.tokens[this.at]
    if (token === undefined || token === '|' || token === ')' || token === ']' || token === '->') return undefined
    this.at++
    if (token === '(' || token === '[') {
      const inner = this.choice()
      this.at++
      return token === '(' ? inner : { kind: 'repeat', part: inner, min: 0, max: 1 }
    }
    if (token.startsWith('"')) return this.textOrRange(token)
    if (token.startsWith('/')) return { kind: 'pattern', source: token.slice(1, token.lastIndexOf('/')) }
    return { kind: 'rule', name: token }
  }

  private textOrRange(token: string): Expression {
    const text = literal(token)
    if (!this.take('..')) return { kind: 'text', text }
    const last = literal(this.tokens[this.at++] ?? '""')
    return { kind: 'pattern', source: `[${text}-${last}]` }
  }

  private repeated(part: Expression): Expression {
    if (this.take('*')) return { kind: 'repeat', part, min: 0, max: MORE }
    if (this.take('+')) return { kind: 'repeat', part, min: 1, max: MORE }
    if (this.take('?')) return { kind: 'repeat', part, min: 0, max: 1 }
    if (!this.take('~')) return part
    const min = Number(this.tokens[this.at++])
    const max = this.take('..') ? Number(this.tokens[this.at++]) : min
    return { kind: 'repeat', part, min, max }
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at++
    return true
  }
}

const literal = (token: string): string =>
  token.slice(1, token.lastIndexOf('"')).replace(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|[\s\S])/g, unescaped)
