import {
  type Alias,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { PlatformError } from './errors.ts'
import type { Limits } from './limits.ts'
import { plainScalar } from './scalar.ts'
import { type SourceText, templateLeft, tooDeep } from './yaml.ts'

/** A document as plain values, with its nodes kept so that every value can be found again in the text. */
export interface ParsedValue {
  readonly value: unknown
  readonly root: Node | null
  readonly source: SourceText
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>
}

/**
 * Turns a document into plain, frozen values as kubectl would: YAML 1.1 scalars, string keys, merge keys (`<<`) applied. Throws a
 * `PlatformError` at the first thing Kubernetes would not take: a key given twice, an unknown tag, too much of anything.
 */
export function toValue(root: Node | null, source: SourceText, limits: Limits): ParsedValue {
  const reader = new Reader(source, limits)
  return { value: reader.read(root, 0), root, source, targets: reader.targets }
}

/** Pairs of a map as they count: its own first, then what it merges in. */
export function* pairsOf(map: YAMLMap, targets: ReadonlyMap<Alias, Node>): Generator<Pair<Node, Node | null>> {
  const merged: Node[] = []
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    if (!isMergeKey(pair.key)) yield pair
    else if (pair.value) merged.push(pair.value)
  }
  for (const source of merged) {
    for (const one of isSeq(source) ? (source.items as Node[]) : [source]) {
      const target = isAlias(one) ? targets.get(one) : one
      if (isMap(target)) yield* pairsOf(target, targets)
    }
  }
}

/** The string a key node stands for; undefined when a map cannot have such a key. */
export function keyText(key: unknown, targets: ReadonlyMap<Alias, Node>): string | undefined {
  const node = isAlias(key) ? targets.get(key) : key
  if (!isScalar(node)) return undefined
  const value = scalarValue(node as Scalar)
  return value === null ? undefined : String(value)
}

class Reader {
  readonly targets = new Map<Alias, Node>()
  private readonly anchors = new Map<string, Node>()
  private readonly open = new Set<Node>()
  private aliased = 0
  private aliasDepth = 0
  private readonly source: SourceText
  private readonly limits: Limits

  constructor(source: SourceText, limits: Limits) {
    this.source = source
    this.limits = limits
  }

  read(node: Node | null, depth: number): unknown {
    if (node === null) return null
    if (depth > this.limits.depth) throw tooDeep(this.at(node), this.limits)
    if (this.aliasDepth > 0 && ++this.aliased > this.limits.aliasedValues) throw this.tooManyAliases(node)
    if (isAlias(node)) return this.readAlias(node, depth)
    const anchor = (node as { anchor?: string }).anchor
    if (anchor !== undefined && this.aliasDepth === 0) this.anchors.set(anchor, node)
    if (isScalar(node)) return this.readScalar(node as Scalar)
    this.checkTag(node)
    this.open.add(node)
    const value = isMap(node)
      ? this.readMap(node, depth)
      : isSeq(node)
        ? this.readList(node.items as Node[], depth)
        : null
    this.open.delete(node)
    return Object.freeze(value)
  }

  private readAlias(alias: Alias, depth: number): unknown {
    const target = this.targets.get(alias) ?? this.anchors.get(alias.source)
    if (!target || this.open.has(target)) {
      throw new PlatformError(
        'YAML_SYNTAX',
        `the alias *${alias.source} ${target ? 'contains itself' : 'has no anchor before it'}`,
        {
          why: 'An alias repeats a value that was marked with & earlier in the same document.',
          fix: `Mark a value with &${alias.source} before using it, or write the value out.`,
          at: this.at(alias),
        },
      )
    }
    this.targets.set(alias, target)
    this.aliasDepth++
    const value = this.read(target, depth + 1)
    this.aliasDepth--
    return value
  }

  private readList(items: readonly Node[], depth: number): unknown[] {
    return items.map((item) => {
      if (isPair(item)) throw this.syntax(item, 'a key without a map in a list')
      return this.read(item, depth + 1)
    })
  }

  private readMap(map: YAMLMap, depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    const seen = new Map<string, Node>()
    for (const { key, value: item } of map.items as Pair<Node, Node | null>[]) {
      if (isMergeKey(key)) continue
      this.noteAnchorsOf(key)
      const name = this.keyOf(key, item ?? map)
      const first = seen.get(name)
      if (first) throw this.duplicateKey(name, key, first)
      seen.set(name, key)
      set(value, name, this.read(item, depth + 1))
    }
    this.merge(map, value, depth)
    return value
  }

  /** `<<: *base` or `<<: [*a, *b]`: adds the keys that are not there; the earlier of two sources wins. */
  private merge(map: YAMLMap, into: Record<string, unknown>, depth: number): void {
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      if (!isMergeKey(key)) continue
      for (const source of isSeq(value) ? (value.items as Node[]) : [value]) {
        const from = this.read(source, depth + 1)
        if (from === null || typeof from !== 'object' || Array.isArray(from)) {
          throw this.syntax(key, 'map merge requires map or sequence of maps as the value')
        }
        for (const [name, item] of Object.entries(from)) if (!Object.hasOwn(into, name)) set(into, name, item)
      }
    }
  }

  private readScalar(scalar: Scalar): unknown {
    this.checkTag(scalar)
    return scalarValue(scalar)
  }

  private checkTag(node: Node): void {
    const { tag } = node
    if (tag === undefined || KNOWN_TAGS.has(tag)) return
    throw new PlatformError('BAD_TAG', `the tag ${tag} has no meaning in Kubernetes YAML`, {
      why: 'Only the tags of plain YAML values (!!str, !!int, !!float, !!bool, !!null, !!binary) are understood by kubectl.',
      fix: 'Remove the tag, or render the file with the tool it was written for.',
      at: this.at(node),
    })
  }

  private keyOf(key: Node, near: Node): string {
    const name = keyText(isAlias(key) ? this.anchors.get(key.source) : key, this.targets)
    if (name !== undefined) return name
    const text = key?.range ? this.source.text.slice(key.range[0], key.range[1]) : ''
    if (key?.range && this.source.text.slice(key.range[0] - 1, key.range[0] + 1) === '{{') {
      throw templateLeft(this.source.at(key.range[0] - 1), `{${text}}`)
    }
    throw new PlatformError(
      'BAD_KEY',
      `a key must be a string, not ${text.trim() === '' ? 'empty' : text.trim().slice(0, 60)}`,
      {
        why: 'Kubernetes objects have string keys only.',
        fix: 'Give the key a name, or put it into quotes.',
        at: this.at(key?.range ? key : near),
      },
    )
  }

  private noteAnchorsOf(key: Node): void {
    const anchor = (key as { anchor?: string } | null)?.anchor
    if (anchor !== undefined) this.anchors.set(anchor, key)
    const target = isAlias(key) ? this.anchors.get(key.source) : undefined
    if (target) this.targets.set(key as Alias, target)
  }

  private duplicateKey(name: string, key: Node, first: Node): PlatformError {
    return new PlatformError('DUPLICATE_KEY', `key "${name}" already set in map`, {
      why: `It was given first at line ${this.at(first).line}; which of the two would count is not defined.`,
      fix: 'Remove one of the two.',
      at: this.at(key),
    })
  }

  private tooManyAliases(node: Node): PlatformError {
    return new PlatformError(
      'TOO_MANY_ALIASES',
      `aliases (*name) repeat more than ${this.limits.aliasedValues} values`,
      {
        why: 'Aliases of aliases grow without bound; a document like that can exhaust memory.',
        fix: 'Write the values out, or use fewer aliases.',
        at: this.at(node),
      },
    )
  }

  private syntax(node: Node | Pair, what: string): PlatformError {
    return new PlatformError('YAML_SYNTAX', `not valid YAML: ${what}`, {
      why: 'Nothing of this document was read.',
      fix: 'Correct the syntax at this place.',
      at: this.at(isPair(node) ? (node.key as Node) : node),
    })
  }

  private at(node: Node) {
    return this.source.at(node.range?.[0] ?? 0)
  }
}

const KNOWN_TAGS = new Set([
  '!',
  ...['str', 'int', 'float', 'bool', 'null', 'binary', 'map', 'seq', 'merge'].map((t) => `tag:yaml.org,2002:${t}`),
])

function scalarValue(scalar: Scalar): unknown {
  const text = typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '')
  if (scalar.tag === 'tag:yaml.org,2002:binary') return Buffer.from(text, 'base64').toString('utf8')
  if (scalar.tag === 'tag:yaml.org,2002:str' || scalar.tag === '!') return text
  return scalar.type === 'PLAIN' || scalar.tag !== undefined ? plainScalar(text) : text
}

const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && key.type === 'PLAIN' && (key.source ?? key.value) === '<<'

/** Sets an own property even when it is called `__proto__`. */
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}
