import type { Described } from '../../../../fixtures/vllm/request-models/index.ts'
import { isList } from '../python/value.ts'
import { dict, list, nullable, union } from './containers.ts'
import { lazyList } from './lazy-list.ts'
import { bool, float, floatWithin, int } from './numbers.ts'
import { refuse, type Schema } from './outcome.ts'
import { type Field, type Fields, model, typedDict } from './records.ts'
import { anything, literal, member, str } from './scalars.ts'

type Limits = Readonly<Record<string, number>>

/** Schemas of described types. `own` are those that no description holds: dataclasses, and validators by name. */
export class DescribedTypes {
  readonly definitions: Readonly<Record<string, Described>>
  readonly own: Readonly<Record<string, (inner: Schema) => Schema>>
  private readonly built = new Map<string, Schema>()

  constructor(
    definitions: Readonly<Record<string, Described>>,
    own: Readonly<Record<string, (inner: Schema) => Schema>>,
  ) {
    this.definitions = definitions
    this.own = own
  }

  /** The schema of a definition. It is built when it is first asked, for definitions may hold themselves. */
  named(name: string): Schema {
    return {
      name: name.replace(/~.*/, ''),
      check: (input, state) => this.build(name).check(input, state),
    }
  }

  /** The fields of a model or dict. */
  fieldsOf(name: string): Fields {
    return this.fields((this.definitions[name] as readonly unknown[])[2] as Readonly<Record<string, Described>>)
  }

  private build(name: string): Schema {
    const known = this.built.get(name)
    if (known !== undefined) return known
    const schema = this.schema(this.definitions[name] as Described)
    this.built.set(name, schema)
    return schema
  }

  private schema(what: Described): Schema {
    if (typeof what === 'string') return what.startsWith('@') ? this.named(what.slice(1)) : scalar(what, {})
    const [kind, first, second, third] = what as readonly [string, Described, Described, boolean | undefined]
    const rest = what.slice(1) as readonly Described[]
    if (kind === 'union') return union(...rest.map((branch) => this.schema(branch)))
    if (kind === 'literal') return literal(...(rest as readonly string[]))
    if (kind === 'enum') return member(...(rest as readonly string[]))
    if (kind === 'or-none') return nullable(this.schema(first))
    if (kind === 'map') return dict(this.schema(first))
    if (kind === 'generator') return lazyList(this.schema(first))
    if (kind === 'sequence') return sequence(this.schema(first))
    if (kind === 'list') return list(this.schema(first), listLimits((second ?? {}) as unknown as Limits))
    if (kind === 'before') return this.ownOf(first as string)(this.schema(second))
    if (kind === 'dataclass') return this.ownOf(first as string)(anything)
    if (kind === 'dict' || kind === 'model') return this.record(kind, first as string, second, third ?? false)
    return scalar(kind, first as unknown as Limits)
  }

  private ownOf(name: string): (inner: Schema) => Schema {
    const own = this.own[name]
    if (own === undefined) throw new Error(`nobody knows the validator ${name}`)
    return own
  }

  private record(kind: string, name: string, fields: unknown, allows: boolean): Schema {
    const known = this.fields(fields as Readonly<Record<string, Described>>)
    if (kind === 'dict') return typedDict(name, known)
    return { ...model(name, known, { extra: allows ? 'allow' : 'ignore' }), name }
  }

  private fields(described: Readonly<Record<string, Described>>): Fields {
    return Object.fromEntries(Object.entries(described).map(([name, what]) => [name, this.field(what)]))
  }

  /** A list of one is a field that must be given. */
  private field(what: Described): Field {
    if (isRequired(what)) return { schema: this.schema(what[0] as Described) }
    if (what[0] !== 'alias') return { schema: this.schema(what), optional: true }
    const [, alias, inner] = what as unknown as readonly [string, string, Described]
    return { ...this.field(inner), alias }
  }
}

const isRequired = (what: Described): what is readonly unknown[] => typeof what !== 'string' && what.length === 1

const listLimits = ({ min_length, max_length }: Limits) => ({
  ...(min_length === undefined ? {} : { minLength: min_length }),
  ...(max_length === undefined ? {} : { maxLength: max_length }),
})

function scalar(kind: string, limits: Limits): Schema {
  const { ge, le } = limits
  if (kind === 'str') return str(listLimits(limits))
  if (kind === 'int')
    return int({
      ...(ge === undefined ? {} : { ge: wide(ge) }),
      ...(le === undefined ? {} : { le: wide(le) }),
    })
  if (kind === 'float') return ge === undefined && le === undefined ? float : floatWithin(limits)
  if (kind === 'bool') return bool
  if (kind === 'any') return anything
  throw new Error(`nobody knows the type ${kind}`)
}

/** Limits of 64 bits have lost their last digits in JSON. */
const wide = (limit: number): bigint =>
  limit >= 2 ** 63 ? 2n ** 63n - 1n : limit <= -(2 ** 63) ? -(2n ** 63n) : BigInt(limit)

/** A list, told apart from what is none in words of its own. */
function sequence(item: Schema): Schema {
  const items = list(item)
  return {
    name: 'chain[is-instance[Sequence],function-wrap[sequence_validator()]]',
    check: (input, state) => {
      if (isList(input)) return items.check(input, state)
      return typeof input === 'string'
        ? refuse('sequence_str', "'str' instances are not allowed as a Sequence value", input, [['type_name', "'str'"]])
        : refuse('is_instance_of', 'Input should be an instance of Sequence', input, [['class', "'Sequence'"]])
    },
  }
}
