import type { LabelSet } from '../tsdb/label-set.ts'
import type { Matching } from './ast.ts'
import { COMPARISONS } from './ast.ts'
import { atan2 } from './elementary.ts'
import { executionError } from './errors.ts'
import { type Grouper, grouperOf } from './grouping.ts'
import { pow } from './numbers.ts'
import type { Element, Vector } from './vector.ts'

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': pow,
  atan2,
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

export interface Operation {
  readonly op: string
  readonly bool: boolean
}

/** Between scalars a comparison is 1 or 0. Follows scalarBinop of promql/engine.go. */
export function scalarOperation(op: string): (a: number, b: number) => number {
  const compare = COMPARE[op]
  return compare ? (a, b) => (compare(a, b) ? 1 : 0) : ARITHMETIC[op]!
}

/** Between a vector and a scalar, which may stand on the left. Follows VectorscalarBinop of promql/engine.go. */
export function vectorScalarOperation(
  { op, bool }: Operation,
  scalarOnLeft: boolean,
): (vector: Vector, scalar: number) => Vector {
  const value = scalarOperation(op)
  const ordered = scalarOnLeft ? (v: number, s: number) => value(s, v) : value
  if (COMPARISONS.has(op) && !bool)
    return (vector, scalar) => vector.filter((element) => ordered(element.value, scalar) === 1)
  return (vector, scalar) =>
    vector.map(({ labels, value: v }) => ({ labels: labels.nameless, value: ordered(v, scalar) }))
}

/** The labels two elements must share: those named by `on`, or all but those of `ignoring` and the name. */
const signatures = ({ on, labels }: Matching): Grouper => grouperOf(labels, !on)

/** and, or, unless. Follow VectorAnd, VectorOr and VectorUnless of promql/engine.go. */
export function setOperation(op: string, matching: Matching): (left: Vector, right: Vector) => Vector {
  const grouper = signatures(matching)
  const groupsOf = (vector: Vector) => new Set(vector.map(({ labels }) => grouper.group(labels)))
  return (left, right) => {
    grouper.begin()
    if (op === 'or') {
      const present = groupsOf(left)
      return [...left, ...right.filter(({ labels }) => !present.has(grouper.group(labels)))]
    }
    const present = groupsOf(right)
    return left.filter(({ labels }) => present.has(grouper.group(labels)) === (op === 'and'))
  }
}

/** Arithmetic and comparisons between vectors. Follows VectorBinop of promql/engine.go. */
export function vectorOperation(operation: Operation, matching: Matching): (left: Vector, right: Vector) => Vector {
  const matcher = new Matcher(operation, matching)
  return (left, right) => matcher.run(left, right)
}

class Matcher {
  private readonly comparison: boolean
  private readonly bool: boolean
  private readonly value: (a: number, b: number) => number
  private readonly matching: Matching
  private readonly grouper: Grouper
  /** The labels of the last result each series had a part in. */
  private readonly results = new WeakMap<LabelSet, { readonly one: LabelSet; readonly labels: LabelSet }>()

  constructor({ op, bool }: Operation, matching: Matching) {
    this.comparison = COMPARISONS.has(op)
    this.bool = bool
    this.value = scalarOperation(op)
    this.matching = matching
    this.grouper = signatures(matching)
  }

  run(left: Vector, right: Vector): Vector {
    if (left.length === 0 || right.length === 0) return []
    this.grouper.begin()
    const swapped = this.matching.card === 'one-to-many'
    const [many, one] = swapped ? [right, left] : [left, right]
    const ones = this.indexOneSide(one)
    const taken = new Map<LabelSet, Set<string> | undefined>()
    const result: Element[] = []
    for (const element of many) {
      const group = this.grouper.group(element.labels)
      const partner = ones.get(group)
      if (!partner) continue
      const labels = this.resultLabels(element.labels, partner.labels)
      this.claim(taken, group, labels)
      const [a, b] = swapped ? [partner.value, element.value] : [element.value, partner.value]
      const value = this.value(a, b)
      if (!this.comparison || this.bool) result.push({ labels, value })
      else if (value === 1) result.push({ labels, value: a })
    }
    return result
  }

  private indexOneSide(one: Vector): Map<LabelSet, Element> {
    const ones = new Map<LabelSet, Element>()
    for (const element of one) {
      const group = this.grouper.group(element.labels)
      const other = ones.get(group)
      if (other) throw this.duplicates(group, element, other)
      ones.set(group, element)
    }
    return ones
  }

  /** Each group matches once, or with group_left and group_right once for each set of result labels. */
  private claim(taken: Map<LabelSet, Set<string> | undefined>, group: LabelSet, labels: LabelSet): void {
    if (this.matching.card === 'one-to-one') {
      if (taken.has(group))
        throw executionError(
          'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
        )
      taken.set(group, undefined)
      return
    }
    const seen = taken.get(group) ?? new Set()
    if (seen.has(labels.key))
      throw executionError('multiple matches for labels: grouping labels must ensure unique matches')
    taken.set(group, seen.add(labels.key))
  }

  /** Worked out once for a pair of series. */
  private resultLabels(many: LabelSet, one: LabelSet): LabelSet {
    const known = this.results.get(many)
    if (known?.one === one) return known.labels
    const labels = this.labelsOf(many, one)
    this.results.set(many, { one, labels })
    return labels
  }

  /** Follows resultMetric of promql/engine.go. */
  private labelsOf(many: LabelSet, one: LabelSet): LabelSet {
    const { on, labels, include, card } = this.matching
    let result = this.comparison && !this.bool ? many : many.nameless
    if (card === 'one-to-one') result = on ? result.only(labels) : result.without(labels)
    if (include.length === 0) return result
    return result.with(Object.fromEntries(include.map((name) => [name, one.get(name)])))
  }

  private duplicates(group: LabelSet, a: Element, b: Element): Error {
    const side = this.matching.card === 'one-to-many' ? 'left' : 'right'
    const both = [String(a.labels), String(b.labels)].sort()
    const why = 'many-to-many matching not allowed: matching labels must be unique on one side'
    return executionError(
      `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${both.join(', ')}];${why}`,
    )
  }
}
