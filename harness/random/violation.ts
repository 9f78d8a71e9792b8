import type { Us } from '../../sandbox/world/time.ts'

/** Something that must never be, and was. */
export interface Violation {
  /** The rule's stable name: what a shrunk platform must still break. */
  readonly invariant: string
  readonly at: Us
  readonly what: string
}

/** Takes violations as they are found; of each rule only the first few. */
export class Violations {
  readonly found: Violation[] = []
  private readonly now: () => Us

  constructor(now: () => Us) {
    this.now = now
  }

  add(invariant: string, what: string): void {
    if (this.found.filter((one) => one.invariant === invariant).length < PER_RULE)
      this.found.push({ invariant, at: this.now(), what })
  }
}

const PER_RULE = 3
