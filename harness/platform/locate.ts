import { isAlias, isMap, isSeq, type Node } from 'yaml'
import type { Position } from './errors.ts'
import { asPath, type FieldPath, formatPath } from './path.ts'
import { keyText, type ParsedValue, pairsOf } from './value.ts'

/** Where a value stands in the user's text. */
export interface SourcePosition extends Position {
  /** Just behind the value's last character. */
  readonly endLine: number
  readonly endColumn: number
  /** Where its key begins; undefined for list items and whole documents. */
  readonly key?: Position
  /** The path that was found: the one asked for, or its nearest ancestor. */
  readonly path: string
  /** The field is not there; the position is that of the nearest ancestor that is. */
  readonly absent?: true
  /** How a value at this place comes into the object: `replicaCount, through chart/templates/deployment.yaml:8`. */
  readonly via?: string
  /** The position is that of rendered text, made from this. */
  readonly rendered?: string
}

/** The text of the value at a path, as it was written. Empty when it is not there. */
export function writtenText(parsed: ParsedValue, path: FieldPath): string {
  let found: Found | undefined = { node: parsed.root }
  for (const part of path) {
    found = childOf(parsed, found.node, part)
    if (!found) return ''
  }
  const [start, end] = rangeOf(parsed.source.text, found.node, found.key)
  return parsed.source.text.slice(start, end)
}

interface Found {
  node: Node | null
  key?: Node
}

/**
 * The position of the value at a path. A value given through an alias is found where its text stands: at the anchor for what is
 * inside it, at the alias for the whole. An absent field answers with its nearest present ancestor.
 */
export function locate(parsed: ParsedValue, path: string | FieldPath): SourcePosition {
  const wanted = asPath(path)
  let found: Found = { node: parsed.root }
  let depth = 0
  for (const part of wanted) {
    const child = childOf(parsed, found.node, part)
    if (!child) break
    found = child
    depth++
  }
  const position = positionOf(parsed, found, formatPath(wanted.slice(0, depth)))
  return depth < wanted.length ? { ...position, absent: true } : position
}

function childOf(parsed: ParsedValue, node: Node | null, part: string | number): Found | undefined {
  const target = isAlias(node) ? parsed.targets.get(node) : node
  if (isSeq(target)) {
    const item = target.items[Number(part)] as Node | undefined
    return item === undefined ? undefined : { node: item }
  }
  if (!isMap(target)) return undefined
  for (const pair of pairsOf(target, parsed.targets)) {
    if (keyText(pair.key, parsed.targets) === String(part)) return { node: pair.value, key: pair.key }
  }
  return undefined
}

function positionOf(parsed: ParsedValue, { node, key }: Found, path: string): SourcePosition {
  const { source } = parsed
  const [start, end] = rangeOf(source.text, node, key)
  const to = source.at(end)
  const from = { ...source.at(start), endLine: to.line, endColumn: to.column, path }
  return key?.range ? { ...from, key: source.at(key.range[0]) } : from
}

/** An empty value (`key:`) has no text of its own: it is said to be at its key. */
function rangeOf(text: string, node: Node | null, key: Node | undefined): [number, number] {
  const range = node?.range
  if (range && (range[1] > range[0] || !key?.range)) return [range[0], trimmedEnd(text, range[0], range[1])]
  return key?.range ? [key.range[0], key.range[1]] : [0, 0]
}

function trimmedEnd(text: string, start: number, end: number): number {
  let to = end
  while (to > start && /\s/.test(text[to - 1]!)) to--
  return to
}
