import type { PyValue } from '../python/value.ts'

/** One error of a validation. `loc` leads to the value from the outside in; `context` holds reprs. */
export interface LineError {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly message: string
  readonly input: PyValue
  readonly context?: readonly (readonly [key: string, repr: string])[]
}

/** What a schema gives for a value it refuses. */
export class Invalid {
  readonly errors: readonly LineError[]

  constructor(errors: readonly LineError[]) {
    this.errors = errors
  }

  /** The same errors, one level further in. */
  within(segment: string | number): readonly LineError[] {
    return this.errors.map((error) => ({ ...error, loc: [segment, ...error.loc] }))
  }
}

export type Outcome = PyValue | Invalid

/** How well a value fitted: as it is, as strict mode would take it, or by coercion. */
export const EXACT = 2
export const STRICT = 1
export const LAX = 0

/** How well the values validated so far fitted a branch of a union. */
export class State {
  exactness: number = EXACT
  /** Keys of records that were set, over all depths; undefined: no record was met. */
  fieldsSet: number | undefined

  floor(exactness: number): void {
    this.exactness = Math.min(this.exactness, exactness)
  }

  addFieldsSet(count: number): void {
    this.fieldsSet = (this.fieldsSet ?? 0) + count
  }
}

/** A rule for values, named as pydantic names its validators: the name of a branch stands in the errors of its union. */
export interface Schema {
  readonly name: string
  /** The value in its own type, or why not. Throws a WireError where a validator of vLLM itself refuses. */
  check(input: PyValue, state: State): Outcome
}

export const refuse = (type: string, message: string, input: PyValue, context?: LineError['context']): Invalid =>
  new Invalid([{ type, loc: [], message, input, ...(context === undefined ? {} : { context }) }])
