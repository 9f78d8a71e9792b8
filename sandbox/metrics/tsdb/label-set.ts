import type { Labels } from '../querier.ts'

/** Labels Prometheus drops from a result that no longer is the metric it came from. */
export const METADATA_LABELS: readonly string[] = ['__name__', '__type__', '__unit__']

/** Stands between the parts of a key; no label can contain this noncharacter of Unicode by intent. */
const SEPARATOR = '\uffff'

/**
 * An immutable set of labels, sorted by name, without empty values (an empty label is an absent one). What is derived from it
 * (key, record, the set without its name) is worked out once, so that series can be grouped and matched many times cheaply.
 */
export class LabelSet {
  static readonly EMPTY = new LabelSet([])
  /** name, value, name, value, … */
  readonly pairs: readonly string[]
  private cachedKey: string | undefined
  private cachedRecord: Labels | undefined
  private cachedNameless: LabelSet | undefined

  /** `pairs` are already sorted by name, without duplicates and empty values; use `LabelSet.of` elsewhere. */
  constructor(pairs: readonly string[]) {
    this.pairs = pairs
  }

  static of(labels: Labels): LabelSet {
    const names = Object.keys(labels).filter((name) => labels[name] !== '')
    if (names.length === 0) return LabelSet.EMPTY
    names.sort(byCode)
    return new LabelSet(names.flatMap((name) => [name, labels[name]!]))
  }

  /** The value of a label; '' when it has none. */
  get(name: string): string {
    const { pairs } = this
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1]!
    return ''
  }

  /** The same for equal sets, and only for them. */
  get key(): string {
    this.cachedKey ??= this.pairs.join(SEPARATOR)
    return this.cachedKey
  }

  get record(): Labels {
    this.cachedRecord ??= Object.freeze(
      Object.fromEntries(Array.from({ length: this.pairs.length / 2 }, (_, i) => this.pairs.slice(2 * i, 2 * i + 2))),
    )
    return this.cachedRecord as Labels
  }

  /** Without the metric's name, type and unit. */
  get nameless(): LabelSet {
    this.cachedNameless ??= this.without(METADATA_LABELS)
    return this.cachedNameless
  }

  /** Only the labels named. */
  only(names: readonly string[]): LabelSet {
    return this.filter((name) => names.includes(name))
  }

  without(names: readonly string[]): LabelSet {
    return this.filter((name) => !names.includes(name))
  }

  /** With labels set, or removed where the value is ''. */
  with(changes: Labels): LabelSet {
    return LabelSet.of({ ...this.record, ...changes })
  }

  /** As Prometheus prints it: `{__name__="up", job="a"}`. */
  toString(): string {
    const parts = []
    for (let i = 0; i < this.pairs.length; i += 2) parts.push(`${this.pairs[i]}=${JSON.stringify(this.pairs[i + 1])}`)
    return `{${parts.join(', ')}}`
  }

  private filter(keep: (name: string) => boolean): LabelSet {
    const pairs: string[] = []
    for (let i = 0; i < this.pairs.length; i += 2)
      if (keep(this.pairs[i]!)) pairs.push(this.pairs[i]!, this.pairs[i + 1]!)
    if (pairs.length === this.pairs.length) return this
    return pairs.length === 0 ? LabelSet.EMPTY : new LabelSet(pairs)
  }
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
