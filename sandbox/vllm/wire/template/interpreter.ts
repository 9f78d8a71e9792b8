import { Environment, Interpreter } from '@huggingface/jinja'

/** A value of a running template. */
interface Value {
  readonly type: string
  readonly value: unknown
}

/** Variables of a template, and of the blocks in it. */
export interface Scope {
  /** A plain value. */
  set(name: string, value: unknown): unknown
  setVariable(name: string, value: Value): unknown
}

interface Runner {
  run(program: unknown): Value
  evaluate(statement: unknown, scope: Scope): Value
}

// the library's declarations do not lead to these two
const Base = Interpreter as unknown as new (scope: Scope) => Runner
export const NewScope = Environment as unknown as new (parent?: Scope) => Scope

/** A node of a template; which fields it has depends on its type. */
interface Node {
  readonly type: string
  readonly value?: unknown
  readonly operand?: Node
  readonly filter?: Node
  readonly callee?: Node
  readonly args?: readonly Node[]
}

const ITEM = '__item'

/** Runs templates, with what they use of Jinja and the library lacks: `map('trim')`, which applies a filter to each item. */
export class TemplateInterpreter extends Base {
  override evaluate(statement: unknown, scope: Scope): Value {
    const name = mappedFilter(statement as Node | undefined)
    return name === undefined ? super.evaluate(statement, scope) : this.map(statement as Node, name, scope)
  }

  private map({ operand, filter }: Node, name: string, scope: Scope): Value {
    const list = this.evaluate(operand, scope)
    const { value: items } = list
    if (!Array.isArray(items)) throw new Error(`Cannot apply filter "map" to type: ${list.type}`)
    const given = filter!.args!.slice(1)
    const named = { type: 'Identifier', value: name }
    const node = {
      type: 'FilterExpression',
      operand: { type: 'Identifier', value: ITEM },
      filter: given.length === 0 ? named : { type: 'CallExpression', callee: named, args: given },
    }
    const results = items.map((item: Value) => {
      const inner = new NewScope(scope)
      inner.setVariable(ITEM, item)
      return this.evaluate(node, inner)
    })
    return new (list.constructor as new (items: readonly Value[]) => Value)(results)
  }
}

/** The filter that `map` is to apply to each item. */
function mappedFilter(node: Node | undefined): string | undefined {
  if (node?.type !== 'FilterExpression' || node.filter?.type !== 'CallExpression') return undefined
  const { callee, args } = node.filter
  const [first] = args ?? []
  return callee?.value === 'map' && first?.type === 'StringLiteral' ? String(first.value) : undefined
}
