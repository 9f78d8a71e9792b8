import { KedaError } from '../errors.ts'
import { formulaError, type Node } from './syntax.ts'

/** What an expression gives. Integers and floats differ: `7 % 2` is allowed and `7.0 % 2` is not. */
export type Value = { readonly int: number } | number | boolean | null | readonly Value[]

export type Variables = Readonly<Record<string, Value>>

/** Evaluates a checked formula. Throws a KedaError where a value has the wrong type. */
// follows github.com/expr-lang/expr/vm (vm.go, runtime/runtime.go) and builtin/lib.go
export function evaluate(node: Node, variables: Variables, text: string, item?: Value): Value {
  const sub = (of: Node, pointer = item) => evaluate(of, variables, text, pointer)
  const fail = (message: string): never => {
    throw formulaError(text, node.at, message)
  }
  switch (node.op) {
    case 'int':
      return { int: node.value }
    case 'float':
    case 'bool':
      return node.value
    case 'nil':
      return null
    case 'item':
      return item ?? null
    case 'name':
      return variables[node.name] ?? null
    case 'array':
      return node.items.map((of) => sub(of))
    case 'let':
      return evaluate(node.within, { ...variables, [node.name]: sub(node.value) }, text, item)
    case 'choose':
      return truth(sub(node.when), fail) ? sub(node.then) : sub(node.otherwise)
    case 'unary':
      return unary(node.sign, sub(node.of), fail)
    case 'binary':
      return binary(node, sub, fail)
    case 'call':
      return call(node, sub, fail)
  }
}

type Fail = (message: string) => never
type Sub = (of: Node, pointer?: Value) => Value

const isInt = (value: Value): value is { readonly int: number } =>
  typeof value === 'object' && value !== null && 'int' in value
const isNumber = (value: Value): value is { readonly int: number } | number => typeof value === 'number' || isInt(value)
const plain = (value: { readonly int: number } | number): number => (typeof value === 'number' ? value : value.int)

/** Go's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return '<nil>'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  return isInt(value) ? 'int' : '[]interface {}'
}

function truth(value: Value, fail: Fail): boolean {
  if (typeof value !== 'boolean') fail(`interface conversion: interface {} is ${typeName(value)}, not bool`)
  return value === true
}

function unary(sign: string, value: Value, fail: Fail): Value {
  if (sign === '!') return !truth(value, fail)
  if (!isNumber(value)) return fail(`invalid operation: ${sign} ${typeName(value)}`)
  if (sign === '+') return value
  return isInt(value) ? { int: -value.int } : -value
}

function binary({ sign, left, right }: Extract<Node, { op: 'binary' }>, sub: Sub, fail: Fail): Value {
  const a = sub(left)
  if (sign === '??') return a === null ? sub(right) : a
  if (sign === '&&' || sign === 'and') return truth(a, fail) && truth(sub(right), fail)
  if (sign === '||' || sign === 'or') return truth(a, fail) || truth(sub(right), fail)
  const b = sub(right)
  if (sign === '==') return equal(a, b)
  if (sign === '!=') return !equal(a, b)
  if (!isNumber(a) || !isNumber(b)) return fail(`invalid operation: ${typeName(a)} ${sign} ${typeName(b)}`)
  const [x, y, ints] = [plain(a), plain(b), isInt(a) && isInt(b)]
  const same = (result: number): Value => (ints ? { int: result } : result)
  if (sign === '+') return same(x + y)
  if (sign === '-') return same(x - y)
  if (sign === '*') return same(x * y)
  if (sign === '/') return x / y
  if (sign === '**' || sign === '^') return x ** y
  if (sign === '<') return x < y
  if (sign === '>') return x > y
  if (sign === '<=') return x <= y
  if (sign === '>=') return x >= y
  if (!ints) return fail(`invalid operation: ${typeName(a)} % ${typeName(b)}`)
  return y === 0 ? fail('integer divide by zero') : { int: x % y }
}

const equal = (a: Value, b: Value): boolean =>
  isNumber(a) && isNumber(b)
    ? plain(a) === plain(b)
    : Array.isArray(a) && Array.isArray(b)
      ? a.length === b.length && a.every((value, i) => equal(value, b[i]))
      : a === b

function call({ name, args, predicate }: Extract<Node, { op: 'call' }>, sub: Sub, fail: Fail): Value {
  const values = args.map((of) => sub(of))
  if (predicate !== undefined || ['count', 'sum', 'all', 'any', 'none', 'one'].includes(name)) {
    const list = values[0]
    if (!Array.isArray(list)) return fail(`builtin ${name} takes only array (got ${typeName(list ?? null)})`)
    const of = (value: Value): Value => (predicate ? sub(predicate, value) : value)
    if (name !== 'sum') return counted(name, list, (value) => truth(of(value), fail))
    // the compiler writes a sum over a list as `a + (b + c)`
    const rightFirst = predicate === undefined && args[0]!.op === 'array'
    return total((rightFirst ? list.toReversed() : list).map(of), fail)
  }
  if (name === 'len') return Array.isArray(values[0]) ? { int: values[0].length } : fail('invalid argument for len')
  const numbers = values.flat().map((value: Value) => {
    if (!isNumber(value)) return fail(`invalid operation: ${name}(${value === null ? '<nil>' : typeName(value)})`)
    return value
  })
  return ofNumbers(name, numbers)
}

/** Those that know their answer early ask no further. */
function counted(name: string, list: readonly Value[], holds: (value: Value) => boolean): Value {
  if (name === 'all') return list.every(holds)
  if (name === 'any') return list.some(holds)
  if (name === 'none') return !list.some(holds)
  const count = list.filter(holds).length
  return name === 'count' ? { int: count } : count === 1
}

function total(values: readonly Value[], fail: Fail): Value {
  if (!values.every(isNumber)) return fail('invalid argument for sum')
  const sum = values.reduce((a: number, b) => a + plain(b as number), 0)
  return values.every(isInt) ? { int: sum } : sum
}

function ofNumbers(name: string, numbers: readonly (number | { readonly int: number })[]): Value {
  const [first] = numbers
  if (name === 'mean' || name === 'median') return numbers.length === 0 ? 0 : middle(name, numbers.map(plain))
  if (first === undefined) return null
  const x = plain(first)
  switch (name) {
    case 'float':
      return x
    case 'int':
      return { int: Math.trunc(x) }
    case 'abs':
      return isInt(first) ? { int: Math.abs(x) } : Math.abs(x)
    case 'ceil':
      return Math.ceil(x)
    case 'floor':
      return Math.floor(x)
    case 'round':
      return Math.sign(x) * Math.round(Math.abs(x))
    case 'max':
      return numbers.reduce((a, b) => (plain(b) > plain(a) ? b : a))
    case 'min':
      return numbers.reduce((a, b) => (plain(b) < plain(a) ? b : a))
  }
  throw new KedaError(`unknown name ${name}`)
}

function middle(name: string, numbers: readonly number[]): number {
  if (name === 'mean') return numbers.reduce((a, b) => a + b, 0) / numbers.length
  const sorted = numbers.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
