import { mix, pick, share } from '../hash.ts'

/** Draws one after another, as a seed has it. `small`: the shortest there is wherever there is a choice of length. */
export class Chance {
  readonly small: boolean
  private readonly seed: number
  private drawn = 0

  constructor(seed: number, small = false) {
    this.seed = seed
    this.small = small
  }

  share(): number {
    return share(this.next())
  }

  /** In [0, n). */
  below(n: number): number {
    return pick(this.next(), n)
  }

  /** Both ends count; the lower one where things are to be small. */
  between(low: number, high: number): number {
    return this.small || high <= low ? low : low + this.below(high - low + 1)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  private next(): number {
    return mix(this.seed, this.drawn++)
  }
}
