import type { Chance } from './chance.ts'
import { merged } from './json-merge.ts'
import { numberFor } from './json-number.ts'
import { stringFor } from './json-string.ts'
import { fits, itemSchemas, patternOf, resolveRef, type Schema, schemasOf } from './json-valid.ts'

type Json = { readonly [key: string]: unknown }

const TRIES = 24
/** Deeper, only what must be there is. */
const DEPTH_OPTIONAL = 4
const DEPTH_MAX = 24
const ITEMS_MORE = 2
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

/** A value that fits a JSON schema; the best that was found where none does. */
export function jsonInstance(schema: Schema, chance: Chance): unknown {
  let value: unknown
  for (let i = 0; i < TRIES; i++) {
    value = new Maker(schema, chance).make(schema, 0)
    if (fits(value, schema)) return value
  }
  return value
}

class Maker {
  private readonly root: Schema
  private readonly chance: Chance

  constructor(root: Schema, chance: Chance) {
    this.root = root
    this.chance = chance
  }

  make(given: Schema, depth: number): unknown {
    const schema = this.flat(given, depth)
    if (typeof schema === 'boolean') return stringFor({}, this.chance)
    if ('const' in schema) return schema['const']
    if (Array.isArray(schema['enum']) && schema['enum'].length > 0) return this.enumerated(schema)
    switch (this.typeOf(schema, depth)) {
      case 'object':
        return this.object(schema, depth)
      case 'array':
        return this.array(schema, depth)
      case 'number':
        return numberFor(schema, this.chance, false)
      case 'integer':
        return numberFor(schema, this.chance, true)
      case 'boolean':
        return this.chance.share() < 0.5
      case 'null':
        return null
      default:
        return stringFor(schema, this.chance)
    }
  }

  /** With what it refers to, and one branch of each choice, put together. */
  private flat(schema: Schema, depth: number): Schema {
    if (typeof schema === 'boolean') return schema
    const { $ref, allOf, anyOf, oneOf, if: test, then, else: otherwise, ...own } = schema
    const parts: Schema[] = [own]
    if (typeof $ref === 'string' && depth < DEPTH_MAX)
      parts.push(this.flat(resolveRef(this.root, $ref) ?? true, depth + 1))
    for (const part of (allOf ?? []) as Schema[]) parts.push(this.flat(part, depth + 1))
    for (const branches of [anyOf, oneOf])
      if (Array.isArray(branches) && branches.length > 0) parts.push(this.branch(branches as Schema[], depth))
    if (test !== undefined) {
      const met = this.chance.share() < 0.5
      const follows = met ? then : otherwise
      if (met) parts.push(this.flat(test as Schema, depth + 1))
      if (follows !== undefined) parts.push(this.flat(follows as Schema, depth + 1))
    }
    return parts.reduce(merged)
  }

  /** Deep down, one that goes no deeper. */
  private branch(branches: readonly Schema[], depth: number): Schema {
    const leaves = depth < DEPTH_OPTIONAL ? [] : branches.filter((each) => this.isLeaf(each))
    return this.flat(this.chance.of(leaves.length > 0 ? leaves : branches), depth + 1)
  }

  private isLeaf(schema: Schema): boolean {
    if (typeof schema === 'boolean' || '$ref' in schema) return false
    const type = schema['type']
    return typeof type === 'string' ? type !== 'object' && type !== 'array' : 'const' in schema || 'enum' in schema
  }

  private enumerated(schema: Json): unknown {
    const list = schema['enum'] as readonly unknown[]
    const fitting = list.filter((value) => fits(value, schema, this.root))
    return this.chance.of(fitting.length > 0 ? fitting : list)
  }

  private typeOf(schema: Json, depth: number): string {
    const { type } = schema
    if (typeof type === 'string') return type
    if (Array.isArray(type) && type.length > 0) {
      const named = (type as string[]).filter((each) => TYPES.includes(each))
      const plain = depth < DEPTH_OPTIONAL ? named : named.filter((each) => each !== 'object' && each !== 'array')
      return this.chance.of(plain.length > 0 ? plain : named)
    }
    const has = (...keywords: string[]) => keywords.some((keyword) => keyword in schema)
    if (has('properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'propertyNames'))
      return 'object'
    if (has('items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains')) return 'array'
    if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) return 'number'
    return 'string'
  }

  private object(schema: Json, depth: number): Json {
    const { chance } = this
    const properties = (schema['properties'] ?? {}) as Record<string, Schema>
    const required = new Set((schema['required'] ?? []) as string[])
    const needs = (schema['dependentRequired'] ?? schema['dependencies'] ?? {}) as Record<string, unknown>
    const [least, most] = [Number(schema['minProperties'] ?? 0), Number(schema['maxProperties'] ?? Infinity)]
    const keys = new Set<string>()
    const add = (key: string): void => {
      if (keys.has(key)) return
      keys.add(key)
      const others = needs[key]
      if (Array.isArray(others)) for (const other of others) add(String(other))
    }
    for (const key of required) add(key)
    const optional = Object.keys(properties).filter((key) => properties[key] !== false && !keys.has(key))
    const wanted = chance.small || depth >= DEPTH_OPTIONAL ? 0 : 0.8
    for (const key of optional) if (keys.size < most && (keys.size < least || chance.share() < wanted)) add(key)
    for (const key of optional) if (keys.size < least) add(key)
    for (let i = 0; keys.size < least && i < least * TRIES; i++) add(this.freeKey(schema))
    // in the order of the schema, as models write them
    const order = [
      ...Object.keys(properties).filter((key) => keys.has(key)),
      ...[...keys].filter((key) => !(key in properties)),
    ]
    return Object.fromEntries(order.map((key) => [key, this.make(schemasOf(schema, key).reduce(merged), depth + 1)]))
  }

  /** A name no property has. */
  private freeKey(schema: Json): string {
    const { chance } = this
    const patterns = Object.keys((schema['patternProperties'] ?? {}) as object)
    const closed = schema['additionalProperties'] === false
    if (patterns.length > 0 && (closed || chance.share() < 0.5))
      return patternOf(chance.of(patterns))?.make(chance) ?? stringFor({}, chance)
    const names = schema['propertyNames']
    return names === undefined
      ? stringFor({ maxLength: 12 }, chance)
      : String(this.make(names as Schema, DEPTH_OPTIONAL))
  }

  private array(schema: Json, depth: number): unknown[] {
    const { chance } = this
    const { prefix, rest } = itemSchemas(schema)
    const contains = schema['contains'] as Schema | undefined
    const found = contains === undefined ? 0 : Number(schema['minContains'] ?? 1)
    const least = Math.max(Number(schema['minItems'] ?? 0), found)
    const most =
      rest === false
        ? Math.min(prefix.length, Number(schema['maxItems'] ?? Infinity))
        : Number(schema['maxItems'] ?? Infinity)
    const more = chance.small || depth >= DEPTH_OPTIONAL ? least : Math.max(least, prefix.length, 1) + ITEMS_MORE
    const count = Math.max(least, chance.between(Math.max(least, chance.small ? 0 : 1), Math.min(most, more)))
    const unique = schema['uniqueItems'] === true
    const items: unknown[] = []
    const seen = new Set<string>()
    for (let i = 0, tries = 0; i < Math.min(count, most) && tries < TRIES * (count + 1); tries++) {
      const part = contains !== undefined && i < found ? merged(prefix[i] ?? rest, contains) : (prefix[i] ?? rest)
      const item = this.make(part, depth + 1)
      const text = JSON.stringify(item)
      if (unique && seen.has(text)) continue
      seen.add(text)
      items.push(item)
      i++
    }
    return items
  }
}
