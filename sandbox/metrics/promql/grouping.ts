import { type LabelSet, METADATA_LABELS } from '../tsdb/label-set.ts'

/** How many groups a cache keeps before it starts anew: series come and go while an expression stays. */
const CACHE_LIMIT = 10_000

/** Gives each label set its group. Equal groups are the same object, and a set seen before costs one lookup. */
export class Grouper {
  private readonly groupOf: (labels: LabelSet) => LabelSet
  private groups = new Map<string, LabelSet>()
  private cache = new WeakMap<LabelSet, LabelSet>()

  constructor(groupOf: (labels: LabelSet) => LabelSet) {
    this.groupOf = groupOf
  }

  /** To be called before an evaluation: groups are the same objects until it is called again. */
  begin(): this {
    if (this.groups.size > CACHE_LIMIT) {
      this.groups = new Map()
      this.cache = new WeakMap()
    }
    return this
  }

  /** The labels of the group a series belongs to. */
  group(labels: LabelSet): LabelSet {
    const known = this.cache.get(labels)
    if (known) return known
    const group = this.groupOf(labels)
    const same = this.groups.get(group.key) ?? group
    this.groups.set(group.key, same)
    this.cache.set(labels, same)
    return same
  }
}

/** Groups as `by` and `on` make them, or `without` and `ignoring`, which also leave out the metric's name. */
export function grouperOf(names: readonly string[], without: boolean): Grouper {
  const dropped = [...METADATA_LABELS, ...names]
  return new Grouper(without ? (labels) => labels.without(dropped) : (labels) => labels.only(names))
}
