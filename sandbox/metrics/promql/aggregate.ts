import type { LabelSet } from '../tsdb/label-set.ts'
import { executionError } from './errors.ts'
import { type Grouper, grouperOf } from './grouping.ts'
import { goSort, heapFixTop, heapPush } from './heap.ts'
import { CompensatedSum, formatPlain, Mean } from './numbers.ts'
import { quantile } from './quantile.ts'
import type { Element, Vector } from './vector.ts'

/** Takes the values of a group one by one. */
interface Accumulator {
  add(value: number): void
  readonly value: number
}

/** Aggregates a vector; `param` is what topk, bottomk and quantile take. Follows promql/engine.go (aggregation, aggregationK). */
export type Aggregate = (vector: Vector, param: number) => Vector

const ACCUMULATORS: Readonly<Record<string, (first: number, param: number) => Accumulator>> = {
  sum: (first) => new Sum(first),
  avg: (first) => new Mean(first),
  min: (first) => new Best(first, (value, champion) => value < champion),
  max: (first) => new Best(first, (value, champion) => value > champion),
  count: () => new Count(),
  group: () => ({ add: () => {}, value: 1 }),
  stdvar: (first) => new Variance(first, (variance) => variance),
  stddev: (first) => new Variance(first, Math.sqrt),
  quantile: (first, phi) => new Quantile(first, phi),
}

export function aggregation(op: string, grouping: readonly string[], without: boolean): Aggregate {
  const grouper = grouperOf(grouping, without)
  if (op === 'topk' || op === 'bottomk') return (vector, k) => best(op, grouper.begin(), vector, k)
  const start = ACCUMULATORS[op]!
  return (vector, param) => {
    grouper.begin()
    const groups = new Map<LabelSet, Accumulator>()
    for (const { labels, value } of vector) {
      const group = grouper.group(labels)
      const accumulator = groups.get(group)
      if (accumulator) accumulator.add(value)
      else groups.set(group, start(value, param))
    }
    return Array.from(groups, ([labels, { value }]) => ({ labels, value }))
  }
}

/** Counts the elements of each value, which becomes a label. */
export function countValues(label: string, grouping: readonly string[], without: boolean): (vector: Vector) => Vector {
  const grouper = grouperOf(without ? grouping : [...grouping, label], without)
  return (vector) => {
    grouper.begin()
    const counts = new Map<LabelSet, number>()
    for (const { labels, value } of vector) {
      const group = grouper.group(labels.with({ [label]: formatPlain(value) }))
      counts.set(group, (counts.get(group) ?? 0) + 1)
    }
    return Array.from(counts, ([labels, value]) => ({ labels, value }))
  }
}

/** Nearer to the top of the heap of topk: the smaller; of bottomk: the larger. NaN is nearest in both. */
const smaller = (a: Element, b: Element): boolean => Number.isNaN(a.value) || a.value < b.value
const larger = (a: Element, b: Element): boolean => Number.isNaN(a.value) || a.value > b.value

function best(op: 'topk' | 'bottomk', grouper: Grouper, vector: Vector, wanted: number): Vector {
  if (!(wanted >= 1) && !Number.isNaN(wanted)) return []
  if (Number.isNaN(wanted)) throw executionError('Parameter value is NaN')
  if (wanted >= 2 ** 63) throw executionError(`Scalar value ${goFloat(wanted)} overflows int64`)
  const k = Math.min(Math.trunc(wanted), vector.length)
  const less = op === 'topk' ? smaller : larger
  const heaps = new Map<LabelSet, Element[]>()
  for (const element of vector) {
    const group = grouper.group(element.labels)
    const heap = heaps.get(group)
    if (!heap) heaps.set(group, [element])
    else if (heap.length < k) heapPush(heap, element, less)
    else if (isBetter(op, element.value, heap[0]!.value)) {
      heap[0] = element
      if (k > 1) heapFixTop(heap, less)
    }
  }
  return [...heaps.values()].flatMap((heap) => goSort(heap, (a, b) => less(b, a)))
}

const isBetter = (op: 'topk' | 'bottomk', value: number, worst: number): boolean =>
  (op === 'topk' ? worst < value : worst > value) || (Number.isNaN(worst) && !Number.isNaN(value))

const goFloat = (value: number): string =>
  Number.isFinite(value) ? value.toExponential().replace(/e\+(\d)$/, 'e+0$1') : '+Inf'

class Sum extends CompensatedSum implements Accumulator {}

class Count implements Accumulator {
  value = 1

  add(): void {
    this.value++
  }
}

class Best implements Accumulator {
  value: number
  private readonly beats: (value: number, champion: number) => boolean

  constructor(first: number, beats: (value: number, champion: number) => boolean) {
    this.value = first
    this.beats = beats
  }

  add(value: number): void {
    if (this.beats(value, this.value) || Number.isNaN(this.value)) this.value = value
  }
}

class Variance implements Accumulator {
  private readonly result: (variance: number) => number
  private count = 1
  private mean: number
  private squares: number

  constructor(first: number, result: (variance: number) => number) {
    this.result = result
    this.mean = first
    this.squares = Number.isFinite(first) ? 0 : Number.NaN
  }

  add(value: number): void {
    this.count++
    const delta = value - this.mean
    this.mean += delta / this.count
    this.squares += delta * (value - this.mean)
  }

  get value(): number {
    return this.result(this.squares / this.count)
  }
}

class Quantile implements Accumulator {
  private readonly values: number[]
  private readonly phi: number

  constructor(first: number, phi: number) {
    this.values = [first]
    this.phi = phi
  }

  add(value: number): void {
    this.values.push(value)
  }

  get value(): number {
    return quantile(this.phi, this.values)
  }
}
