import { type LabelSet, METADATA_LABELS } from '../tsdb/label-set.ts'

/** How many distinct results a cache keeps before it starts anew: series come and go while an expression stays. */
const CACHE_LIMIT = 10_000

/** Gives each label set its group. Equal groups are the same object, and a set seen before costs one lookup. */
export class Grouper {
  private readonly names: readonly string[]
  private readonly without: boolean
  private readonly groups = new Map<string, LabelSet>()
  private cache = new WeakMap<LabelSet, LabelSet>()

  constructor(names: readonly string[], without: boolean) {
    this.names = without ? [...METADATA_LABELS, ...names] : names
    this.without = without
  }

  /** The labels of the group a series belongs to. */
  group(labels: LabelSet): LabelSet {
    const known = this.cache.get(labels)
    if (known) return known
    const kept = this.without ? labels.without(this.names) : labels.only(this.names)
    if (this.groups.size > CACHE_LIMIT) {
      this.groups.clear()
      this.cache = new WeakMap()
    }
    const same = this.groups.get(kept.key) ?? kept
    this.groups.set(kept.key, same)
    this.cache.set(labels, same)
    return same
  }
}
