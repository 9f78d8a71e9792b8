import { isDict, type PyDict, type PyValue } from '../python/value.ts'
import { Invalid, LAX, type LineError, type Outcome, refuse, type Schema, type State } from './outcome.ts'

export interface Field {
  readonly schema: Schema
  /** The key in JSON, where it is another. */
  readonly alias?: string
  /** What stands for an absent key. None: the key is required. */
  readonly default?: PyValue
  /** May be absent, without a default. */
  readonly optional?: boolean
}

/** Fields in their order, which is the order of their errors. */
export type Fields = Readonly<Record<string, Field>>

export const required = (schema: Schema, alias?: string): Field =>
  alias === undefined ? { schema } : { schema, alias }
export const optional = (schema: Schema): Field => ({ schema, optional: true })
export const withDefault = (schema: Schema, value: PyValue, alias?: string): Field => ({
  schema,
  default: value,
  ...(alias === undefined ? {} : { alias }),
})

/** A TypedDict of a request: keys it does not know stand behind those it does. */
export function typedDict(name: string, fields: Fields): Schema {
  const known = keyed(fields)
  return {
    name,
    check: (input, state) =>
      isDict(input)
        ? checkFields(input, known, state, true)
        : refuse('dict_type', 'Input should be a valid dictionary', input),
  }
}

export interface ModelOptions {
  /** Keys it does not know are kept, as the models of OpenAI's API do. */
  readonly extra?: 'allow' | 'ignore'
  /** Validators of the raw dict, in the order in which they run. */
  readonly before?: readonly ((body: PyValue) => PyValue)[]
  /** Validators of the result. */
  readonly after?: readonly ((model: PyDict, input: PyValue) => PyDict | Invalid)[]
}

/** A BaseModel. */
export function model(name: string, fields: Fields, options: ModelOptions = {}): Schema {
  const { extra = 'allow', before = [], after = [] } = options
  const known = keyed(fields)
  return {
    name: extra === 'allow' ? 'function-wrap[__log_extra_fields__()]' : name,
    check: (raw, state) => {
      const input = before.reduce<PyValue>((body, validate) => validate(body), raw)
      if (!isDict(input))
        return refuse(
          'model_attributes_type',
          'Input should be a valid dictionary or object to extract fields from',
          input,
        )
      state.floor(LAX)
      let checked: PyDict | Invalid = checkFields(input, known, state, extra === 'allow')
      for (const validate of after) {
        if (checked instanceof Invalid) return checked
        checked = validate(checked, input)
      }
      return checked
    },
  }
}

/** A dataclass, with what runs when one is made. */
export function dataclass(name: string, fields: Fields, made: (self: PyDict) => void): Schema {
  const known = keyed(fields)
  return {
    name,
    check: (input, state): Outcome => {
      if (!isDict(input))
        return refuse('dataclass_type', `Input should be a dictionary or an instance of ${name}`, input, [
          ['class_name', `'${name}'`],
        ])
      const self = checkFields(input, known, state, false)
      if (!(self instanceof Invalid)) made(self)
      return self
    },
  }
}

/** Fields by name and key, put together once. */
interface Keyed {
  readonly fields: readonly (readonly [name: string, key: string, field: Field])[]
  readonly keys: ReadonlySet<string>
}

function keyed(fields: Fields): Keyed {
  const all = Object.entries(fields).map(([name, field]) => [name, field.alias ?? name, field] as const)
  return { fields: all, keys: new Set(all.map(([, key]) => key)) }
}

function checkFields(input: PyDict, { fields, keys }: Keyed, state: State, keepExtra: boolean): PyDict | Invalid {
  const read = new Map<string, PyValue>()
  const errors: LineError[] = []
  let count = 0
  for (const [name, key, field] of fields) {
    const value = input.get(key)
    if (value === undefined) {
      if (field.default !== undefined) read.set(name, field.default)
      else if (!field.optional) errors.push({ type: 'missing', loc: [key], message: 'Field required', input })
      continue
    }
    const outcome = field.schema.check(value, state)
    if (outcome instanceof Invalid) errors.push(...outcome.within(key))
    else {
      read.set(name, outcome)
      count++
    }
  }
  if (errors.length > 0) return new Invalid(errors)
  if (keepExtra) for (const [key, value] of input) if (!keys.has(key)) read.set(key, value)
  state.addFieldsSet(count)
  return read
}
