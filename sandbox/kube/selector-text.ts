import { type Requirement, type Selector, SelectorError, selectorOf } from './selectors.ts'

/**
 * Parses the text form of a label selector: `app=web,tier!=cache,env in (a,b),!gone,kept,rank>3`. The empty text selects
 * everything. Throws a SelectorError. Follows k8s.io/apimachinery/pkg/labels/selector.go Parse.
 */
export function parseSelector(text: string): Selector {
  const parser = new Parser(text)
  const requirements: Requirement[] = []
  if (parser.peek() === undefined) return selectorOf([])
  for (;;) {
    requirements.push(parsed(parser))
    const next = parser.take()
    if (next === undefined) return selectorOf(requirements)
    if (next !== ',') throw new SelectorError(`found '${next}', expected: ',' or 'end of string'`)
    if (parser.peek() === undefined) throw new SelectorError("found '', expected: identifier after ','")
  }
}

function parsed(parser: Parser): Requirement {
  try {
    return requirement(parser)
  } catch (error) {
    throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error
  }
}

class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(text: string) {
    this.tokens = text.match(/!=|==|=|!|<|>|,|\(|\)|[^\s!=<>,()]+/g) ?? []
  }

  peek(): string | undefined {
    return this.tokens[this.at]
  }

  take(): string | undefined {
    return this.tokens[this.at++]
  }
}

const isWord = (token: string | undefined): token is string => token !== undefined && !/^[!=<>,()]/.test(token)

function requirement(parser: Parser): Requirement {
  if (parser.peek() === '!') {
    parser.take()
    return { key: word(parser), operator: 'DoesNotExist', values: [] }
  }
  const key = word(parser)
  const sign = parser.peek()
  if (sign === undefined || sign === ',') return { key, operator: 'Exists', values: [] }
  parser.take()
  switch (sign) {
    case '=':
    case '==':
      return { key, operator: 'In', values: [optionalWord(parser)] }
    case '!=':
      return { key, operator: 'NotIn', values: [optionalWord(parser)] }
    case '>':
    case '<':
      return { key, operator: sign === '>' ? 'Gt' : 'Lt', values: [integer(parser)] }
    case 'in':
    case 'notin':
      return { key, operator: sign === 'in' ? 'In' : 'NotIn', values: set(parser) }
    default:
      throw new SelectorError(`found '${sign}', expected: in, notin, =, ==, !=, gt, lt`)
  }
}

function word(parser: Parser): string {
  const token = parser.take()
  if (!isWord(token)) throw new SelectorError(`found '${token ?? ''}', expected: identifier`)
  return token
}

const optionalWord = (parser: Parser): string => (isWord(parser.peek()) ? parser.take()! : '')

function integer(parser: Parser): string {
  const value = word(parser)
  if (!/^[+-]?\d+$/.test(value))
    throw new SelectorError(`"${value}": for 'Gt', 'Lt' operators, the value must be an integer`)
  return value
}

function set(parser: Parser): string[] {
  const open = parser.take()
  if (open !== '(') throw new SelectorError(`found '${open ?? ''}' expected: '('`)
  const values = [optionalWord(parser)]
  for (;;) {
    const next = parser.take()
    if (next === ')') return [...new Set(values)]
    if (next !== ',') throw new SelectorError(`found '${next ?? ''}', expected: ',' or ')'`)
    values.push(optionalWord(parser))
  }
}
