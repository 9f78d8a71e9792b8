import type { Clock, Timer } from '../../sandbox/world/clock.ts'
import { type Linked, LinkedList } from '../../sandbox/world/linked-list.ts'
import type { Us } from '../../sandbox/world/time.ts'

/** Something that ends by itself, or at its deadline. */
export interface Bounded<T> extends Linked<T> {
  readonly deadline: Us
  /** The deadline has come. It must leave the list. */
  timedOut(): void
}

/** Those under way whose deadlines come in the order in which they began: one timer serves them all, and most never meet it. */
export class Deadlines<T extends Bounded<T>> {
  readonly open = new LinkedList<T>()
  private readonly clock: Clock
  private timer: Timer | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(bounded: T): void {
    this.open.add(bounded)
    if (!this.timer) this.arm(bounded.deadline)
  }

  remove(bounded: T): void {
    this.open.remove(bounded)
  }

  private arm(at: Us): void {
    this.timer = this.clock.at(at, () => {
      const { open, clock } = this
      for (let next = open.first; next && next.deadline <= clock.now; next = open.first) next.timedOut()
      this.timer = undefined
      if (open.first) this.arm(open.first.deadline)
    })
  }
}
