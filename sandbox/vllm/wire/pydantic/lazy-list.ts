import { WireError } from '../errors.ts'
import { typeName } from '../python/errors.ts'
import { pyRepr } from '../python/text.ts'
import { isDict, isList, type PyList, type PyValue } from '../python/value.ts'
import { Invalid, type LineError, refuse, type Schema, State } from './outcome.ts'

/** A list whose items are validated when they are read: an `Iterable` of pydantic. It holds them as they came. */
export class LazyList extends Array<PyValue> {
  item: Schema | undefined
}

/** What can be iterated: a list, the keys of a dict, the letters of a text. */
// follows pydantic-core/src/validators/generator.rs
export function lazyList(item: Schema): Schema {
  return {
    name: `generator[${item.name}]`,
    check: (input) => {
      const items = isList(input) ? input : isDict(input) ? [...input.keys()] : lettersOf(input)
      if (items === undefined) return refuse('iterable_type', 'Input should be iterable', input)
      const lazy = new LazyList()
      for (const value of items) lazy.push(value)
      lazy.item = item
      return lazy
    },
  }
}

const lettersOf = (input: PyValue): readonly string[] | undefined =>
  typeof input === 'string' ? [...input] : undefined

/** Reads a list: items of a lazy one are validated now. Throws a WireError for the first that is refused. */
export function readList(items: PyList): PyList {
  const read = readItems(items)
  if (read instanceof Invalid) throw new WireError(400, 'BadRequestError', errorText(read.errors))
  return read
}

/** As `readList`, with the errors instead of a throw. */
export function readItems(items: PyList): PyList | Invalid {
  if (!(items instanceof LazyList) || items.item === undefined) return items
  const read: PyValue[] = []
  for (const [index, value] of items.entries()) {
    const outcome = items.item.check(value, new State())
    if (outcome instanceof Invalid) return new Invalid(outcome.within(index))
    read.push(outcome)
  }
  return read
}

const DOCS = 'https://errors.pydantic.dev/2.14/v'

/** The text of a ValidationError that nobody has caught. */
// follows pydantic-core/src/errors/validation_exception.rs
function errorText(errors: readonly LineError[]): string {
  const head = `${errors.length} validation error${errors.length === 1 ? '' : 's'} for ValidatorIterator`
  const lines = errors.map(
    ({ type, loc, message, input }) =>
      `\n${loc.join('.')}\n  ${message} [type=${type}, input_value=${shortened(pyRepr(input))}, ` +
      `input_type=${typeName(input)}]\n    For further information visit ${DOCS}/${type}`,
  )
  return head + lines.join('')
}

const LONGEST = 50

function shortened(repr: string): string {
  const chars = [...repr]
  return chars.length > LONGEST ? `${chars.slice(0, 25).join('')}...${chars.slice(-24).join('')}` : repr
}
