import { invalids, invalidValue } from '../apiserver/validation/field.ts'
import { labelValue, qualifiedName } from '../apiserver/validation/names.ts'
import { isInteger, type Requirement, type Selector, SelectorError, selectorOf } from './selectors.ts'

/**
 * Parses the text form of a label selector: `app=web,tier!=cache,env in (a,b),!gone,kept,rank>3`. The empty text selects
 * everything. Throws a SelectorError in upstream's words. Follows k8s.io/apimachinery/pkg/labels/selector.go Parse.
 */
export function parseSelector(text: string): Selector {
  const parser = new Parser(text)
  const requirements: Requirement[] = []
  for (;;) {
    const first = parser.peek()
    if (first === undefined) return selectorOf(requirements)
    if (!begins(first)) throw new SelectorError(`found '${first}', expected: !, identifier, or 'end of string'`)
    requirements.push(parsed(parser))
    const next = parser.take()
    if (next === undefined) return selectorOf(requirements)
    if (next !== ',') throw new SelectorError(`found '${next}', expected: ',' or 'end of string'`)
    const after = parser.peek()
    if (after === undefined || !begins(after))
      throw new SelectorError(`found '${after ?? ''}', expected: identifier after ','`)
  }
}

const begins = (token: string): boolean => token === '!' || isWord(token)

function parsed(parser: Parser): Requirement {
  try {
    const made = requirement(parser)
    check(made)
    return made
  } catch (error) {
    throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error
  }
}

class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(text: string) {
    this.tokens = text.match(/!=|==|=|!|<|>|,|\(|\)|[^ \t\r\n!=<>,()]+/g) ?? []
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
  const absent = parser.peek() === '!'
  if (absent) parser.take()
  const key = word(parser)
  const [wrong] = invalids('<nil>', key, qualifiedName(key).length > 0 ? [qualifiedName(key).join('; ')] : [])
  if (wrong) throw new SelectorError(wrong)
  if (absent) return { key, operator: 'DoesNotExist', values: [] }
  const sign = parser.peek()
  if (sign === undefined || sign === ',') return { key, operator: 'Exists', values: [] }
  parser.take()
  switch (sign) {
    case '=':
    case '==':
      return { key, operator: 'In', values: [exactValue(parser)] }
    case '!=':
      return { key, operator: 'NotIn', values: [exactValue(parser)] }
    case '>':
    case '<':
      return { key, operator: sign === '>' ? 'Gt' : 'Lt', values: [exactValue(parser)] }
    case 'in':
    case 'notin':
      return { key, operator: sign === 'in' ? 'In' : 'NotIn', values: values(parser) }
    default:
      throw new SelectorError(`found '${sign}', expected: in, notin, =, ==, !=, gt, lt`)
  }
}

function word(parser: Parser): string {
  const token = parser.take()
  if (!isWord(token)) throw new SelectorError(`found '${token ?? ''}', expected: identifier`)
  return token
}

/** A word, or nothing before the next requirement. */
function exactValue(parser: Parser): string {
  const next = parser.peek()
  return next === undefined || next === ',' ? '' : word(parser)
}

/** In order and each once, as upstream's set of them is read. */
function values(parser: Parser): string[] {
  const open = parser.take()
  if (open !== '(') throw new SelectorError(`found '${open ?? ''}' expected: '('`)
  const first = parser.peek()
  if (first === ')') {
    parser.take()
    return ['']
  }
  if (first !== ',' && !isWord(first))
    throw new SelectorError(`found '${first ?? ''}', expected: ',', ')' or identifier`)
  const found = new Set<string>()
  do listed(parser, found)
  while (parser.peek() !== ')')
  parser.take()
  return [...found].sort()
}

/** One word or comma of a list, of which any may be missing: `(a,,b,)`. Follows parseIdentifiersList. */
function listed(parser: Parser, found: Set<string>): void {
  const token = parser.take()
  const next = parser.peek()
  if (isWord(token)) {
    found.add(token)
    if (next !== ',' && next !== ')') throw new SelectorError(`found '${next ?? ''}', expected: ',' or ')'`)
  } else if (token === ',') {
    if (found.size === 0 || next === ',' || next === ')') found.add('')
  } else throw new SelectorError(`found '${token ?? ''}', expected: ',', or identifier`)
}

/** Follows NewRequirement. */
function check({ key, operator, values: given }: Requirement): void {
  const integers = operator === 'Gt' || operator === 'Lt'
  const wrong = [
    ...given.flatMap((value, i) =>
      integers && !isInteger(value)
        ? [invalidValue(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")]
        : [],
    ),
    ...given.flatMap((value, i) => {
      const messages = labelValue(value)
      return messages.length > 0 ? [invalidValue(`values[${i}][${key}]`, value, messages.join('; '))] : []
    }),
  ]
  if (wrong.length > 0) throw new SelectorError(wrong.length === 1 ? wrong[0]! : `[${wrong.join(', ')}]`)
}
