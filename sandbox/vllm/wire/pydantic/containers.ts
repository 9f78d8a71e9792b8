import { isDict, isList, type PyList, type PyValue } from '../python/value.ts'
import { EXACT, Invalid, type LineError, type Outcome, refuse, type Schema, State } from './outcome.ts'

export interface ListLimits {
  readonly minLength?: number
  readonly maxLength?: number
}

/** A list, each item by the same rule. Errors stand at the index. */
export function list(item: Schema, { minLength, maxLength }: ListLimits = {}): Schema {
  return {
    name: `list[${item.name}]`,
    check: (input, state) => {
      if (!isList(input)) return refuse('list_type', 'Input should be a valid list', input)
      if (maxLength !== undefined && input.length > maxLength)
        return wrongLength(input, 'too_long', 'at most', 'max_length', maxLength)
      const items = checkItems(input, item, state)
      if (items instanceof Invalid) return items
      if (minLength !== undefined && input.length < minLength)
        return wrongLength(input, 'too_short', 'at least', 'min_length', minLength)
      return items
    },
  }
}

function checkItems(input: PyList, item: Schema, state: State): PyList | Invalid {
  const items: PyValue[] = []
  const errors: LineError[] = []
  for (const [index, value] of input.entries()) {
    const outcome = item.check(value, state)
    if (outcome instanceof Invalid) errors.push(...outcome.within(index))
    else items.push(outcome)
  }
  return errors.length > 0 ? new Invalid(errors) : items
}

function wrongLength(input: PyList, type: string, words: string, key: string, limit: number): Invalid {
  const counted = `${limit} item${limit === 1 ? '' : 's'}`
  return refuse(type, `List should have ${words} ${counted} after validation, not ${input.length}`, input, [
    ['field_type', "'List'"],
    [key, String(limit)],
    ['actual_length', String(input.length)],
  ])
}

/** A dict from text to values of one rule. Errors stand at the key. */
export function dict(value: Schema): Schema {
  return {
    name: `dict[str,${value.name}]`,
    check: (input, state) => {
      if (!isDict(input)) return refuse('dict_type', 'Input should be a valid dictionary', input)
      const read = new Map<string, PyValue>()
      const errors: LineError[] = []
      for (const [key, entry] of input) {
        const outcome = value.check(entry, state)
        if (outcome instanceof Invalid) errors.push(...outcome.within(key))
        else read.set(key, outcome)
      }
      return errors.length > 0 ? new Invalid(errors) : read
    },
  }
}

export const nullable = (schema: Schema): Schema => ({
  name: `nullable[${schema.name}]`,
  check: (input, state) => (input === null ? null : schema.check(input, state)),
})

/**
 * The branch that fits best: the one that sets most keys, then the one that needs least coercion, then the first. Where none does, the
 * errors of all.
 */
// follows pydantic-core/src/validators/union.rs (smart mode)
export function union(...branches: readonly Schema[]): Schema {
  return {
    name: `union[${branches.map(({ name }) => name).join(',')}]`,
    check: (input, state) => {
      let best: { readonly value: PyValue; readonly state: State } | undefined
      const errors: LineError[] = []
      for (const branch of branches) {
        const tried = new State()
        const value = branch.check(input, tried)
        if (value instanceof Invalid) errors.push(...value.within(branch.name))
        else if (tried.exactness === EXACT && tried.fieldsSet === undefined) return value
        else if (best === undefined || fitsBetter(tried, best.state)) best = { value, state: tried }
      }
      if (best === undefined) return new Invalid(errors)
      state.floor(best.state.exactness)
      if (best.state.fieldsSet !== undefined) state.addFieldsSet(best.state.fieldsSet)
      return best.value
    },
  }
}

const fitsBetter = (tried: State, best: State): boolean =>
  tried.fieldsSet !== undefined && best.fieldsSet !== undefined && tried.fieldsSet !== best.fieldsSet
    ? tried.fieldsSet > best.fieldsSet
    : tried.exactness > best.exactness

/** Picks the branch by the word a key holds. */
// follows pydantic-core/src/validators/union.rs (tagged-union)
export function tagged(key: string, branches: Readonly<Record<string, Schema>>): Schema {
  const tags = Object.keys(branches)
  const expected = tags.map((tag) => `'${tag}'`).join(', ')
  const check = (input: PyValue, state: State): Outcome => {
    if (!isDict(input))
      return refuse(
        'model_attributes_type',
        'Input should be a valid dictionary or object to extract fields from',
        input,
      )
    const tag = input.get(key)
    const quoted = `"'${key}'"`
    if (tag === undefined)
      return refuse('union_tag_not_found', `Unable to extract tag using discriminator '${key}'`, input, [
        ['discriminator', quoted],
      ])
    const branch = typeof tag === 'string' ? branches[tag] : undefined
    if (branch === undefined)
      return refuse(
        'union_tag_invalid',
        `Input tag '${tagText(tag)}' found using '${key}' does not match any of the expected tags: ${expected}`,
        input,
        [
          ['discriminator', quoted],
          ['tag', `'${tagText(tag)}'`],
          ['expected_tags', `"${expected}"`],
        ],
      )
    const outcome = branch.check(input, state)
    return outcome instanceof Invalid ? new Invalid(outcome.within(tag as string)) : outcome
  }
  return { name: `tagged-union[${tags.map((tag) => branches[tag]?.name).join(',')}]`, check }
}

const tagText = (tag: PyValue): string => (typeof tag === 'string' ? tag : String(tag))
