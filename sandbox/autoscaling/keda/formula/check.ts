import { formulaError, type Node } from './syntax.ts'

/** What is known of an expression before it has values; `any` is known at run time only. */
type Type = 'int' | 'float64' | 'bool' | '[]interface {}' | '<nil>' | 'any'

/** Checks names and types as the language's compiler does. Throws a KedaError. */
// follows github.com/expr-lang/expr/checker/checker.go
export function checkFormula(node: Node, names: Readonly<Record<string, Type>>, text: string, item?: Type): Type {
  const sub = (of: Node, pointer = item) => checkFormula(of, names, text, pointer)
  const fail = (message: string): never => {
    throw formulaError(text, node.at, message)
  }
  switch (node.op) {
    case 'int':
      return 'int'
    case 'float':
      return 'float64'
    case 'bool':
      return 'bool'
    case 'nil':
      return '<nil>'
    case 'item':
      return item ?? 'any'
    case 'name':
      return names[node.name] ?? fail(`unknown name ${node.name}`)
    case 'array':
      for (const of of node.items) sub(of)
      return '[]interface {}'
    case 'let':
      return checkFormula(node.within, { ...names, [node.name]: sub(node.value) }, text, item)
    case 'choose': {
      const condition = sub(node.when)
      if (condition !== 'bool' && condition !== 'any')
        throw formulaError(text, node.when.at, `non-bool expression (type ${condition}) used as condition`)
      const [then, otherwise] = [sub(node.then), sub(node.otherwise)]
      return then === otherwise ? then : 'any'
    }
    case 'unary': {
      const of = sub(node.of)
      if (node.sign === '!')
        return of === 'bool' || of === 'any' ? 'bool' : fail(`invalid operation: ! (mismatched type ${of})`)
      return isNumeric(of) ? of : fail(`invalid operation: ${node.sign} (mismatched type ${of})`)
    }
    case 'binary': {
      const [left, right] = [sub(node.left), sub(node.right)]
      return (
        binaryType(node.sign, left, right) ??
        fail(`invalid operation: ${node.sign} (mismatched types ${left} and ${right})`)
      )
    }
    case 'call':
      return callType(node, sub, fail)
  }
}

const isNumeric = (type: Type): boolean => type === 'int' || type === 'float64' || type === 'any'

function binaryType(sign: string, a: Type, b: Type): Type | undefined {
  const numeric = isNumeric(a) && isNumeric(b)
  if (sign === '??') return a === '<nil>' ? b : b === '<nil>' || a === b ? a : 'any'
  if (['&&', '||', 'and', 'or'].includes(sign))
    return [a, b].every((t) => t === 'bool' || t === 'any') ? 'bool' : undefined
  if (sign === '==' || sign === '!=')
    return numeric || a === b || [a, b].some((t) => t === 'any' || t === '<nil>') ? 'bool' : undefined
  if (!numeric) return undefined
  if (['<', '>', '<=', '>='].includes(sign)) return 'bool'
  if (sign === '/' || sign === '**' || sign === '^') return 'float64'
  if (sign === '%') return [a, b].every((t) => t === 'int' || t === 'any') ? 'int' : undefined
  if (a === 'any' || b === 'any') return 'any'
  return a === 'int' && b === 'int' ? 'int' : 'float64'
}

const RESULTS: Readonly<Record<string, Type>> = {
  float: 'float64',
  int: 'int',
  len: 'int',
  count: 'int',
  all: 'bool',
  any: 'bool',
  none: 'bool',
  one: 'bool',
  sum: 'any',
  ceil: 'float64',
  floor: 'float64',
  round: 'float64',
  mean: 'any',
  median: 'any',
}

function callType(
  { name, args, predicate }: Extract<Node, { op: 'call' }>,
  sub: (of: Node, pointer?: Type) => Type,
  fail: (message: string) => never,
): Type {
  const types = args.map((of) => sub(of))
  const [first] = types
  const variadic = ['max', 'min', 'mean', 'median'].includes(name)
  if (first === undefined) return fail(variadic ? `not enough arguments to call ${name}` : wrongCount(0))
  if (!variadic && types.length > 1) return fail(wrongCount(types.length))
  const isList = first === '[]interface {}'
  if (variadic) {
    if (name !== 'mean' && name !== 'median' && types.every((type) => type === 'int' || type === 'float64'))
      return types.every((type) => type === first) ? first : 'float64'
    if (types.every((type) => isNumeric(type) || type === '[]interface {}')) return RESULTS[name] ?? 'any'
    return fail(`invalid argument for ${name} (type ${types.find((type) => type === 'bool' || type === '<nil>')})`)
  }
  if (['count', 'sum', 'all', 'any', 'none', 'one'].includes(name)) {
    if (!isList && first !== 'any') return fail(`builtin ${name} takes only array (got ${first})`)
    const each = predicate && sub(predicate, 'any')
    if (name !== 'sum' && each && each !== 'bool' && each !== 'any')
      return fail(`predicate should return boolean (got ${each})`)
    return RESULTS[name]!
  }
  if (name === 'len' ? !isList && first !== 'any' : !isNumeric(first))
    return fail(`invalid argument for ${name} (type ${first === '<nil>' ? '%!s(<nil>)' : first})`)
  return name === 'abs' ? first : RESULTS[name]!
}

const wrongCount = (given: number): string => `invalid number of arguments (expected 1, got ${given})`
