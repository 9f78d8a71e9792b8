import type { Us } from './time.ts'

/** A scheduled call that can be taken back. */
export interface Timer {
  cancel(): void
}

/** The only source of time. Virtual in the simulator, the wall's elsewhere. */
export interface Clock {
  /** Now, in microseconds since the trial began. */
  readonly now: Us
  /** Calls `fn` at time `at`, or now if that is past. Calls due at one time run in the order they were scheduled. */
  at(at: Us, fn: () => void): Timer
  /** Calls `fn` after `delay`. */
  after(delay: Us, fn: () => void): Timer
}

class Entry implements Timer {
  readonly at: Us
  readonly sequence: number
  fn: (() => void) | undefined

  constructor(at: Us, sequence: number, fn: () => void) {
    this.at = at
    this.sequence = sequence
    this.fn = fn
  }

  cancel(): void {
    this.fn = undefined
  }
}

/**
 * Time that moves only when told to: a heap of (time, sequence). `runUntil` runs everything due, in order and
 * synchronously; nothing in the simulated world waits for a promise.
 */
export class VirtualClock implements Clock {
  now: Us = 0
  private readonly heap: Entry[] = []
  /** When each of the heap is due: beside it, so that most comparisons look at no entry. */
  private readonly due: Us[] = []
  private sequence = 0
  /** Calls run so far: the simulator's unit of work. */
  events = 0

  at(at: Us, fn: () => void): Timer {
    const entry = new Entry(at > this.now ? Math.round(at) : this.now, this.sequence++, fn)
    this.push(entry)
    return entry
  }

  after(delay: Us, fn: () => void): Timer {
    return this.at(this.now + delay, fn)
  }

  /** When the next call is due; undefined when nothing is scheduled. */
  nextAt(): Us | undefined {
    while (this.heap.length > 0 && !this.heap[0]!.fn) this.pop()
    return this.heap[0]?.at
  }

  /** Runs everything due at or before `until`, then stands at `until`. */
  runUntil(until: Us): void {
    for (let next = this.heap[0]; next && next.at <= until; next = this.heap[0]) {
      this.pop()
      if (!next.fn) continue
      this.now = next.at
      this.events++
      const fn = next.fn
      next.fn = undefined
      fn()
    }
    if (until > this.now) this.now = until
  }

  private push(entry: Entry): void {
    const { heap, due } = this
    const { at, sequence } = entry
    let i = heap.length
    heap.push(entry)
    due.push(at)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = due[parent]!
      if (above < at || (above === at && heap[parent]!.sequence < sequence)) break
      heap[i] = heap[parent]!
      due[i] = above
      i = parent
    }
    heap[i] = entry
    due[i] = at
  }

  private pop(): void {
    const { heap, due } = this
    const last = heap.pop()!
    const at = due.pop()!
    const { length } = heap
    if (length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= length) break
      let next = due[child]!
      if (child + 1 < length) {
        const other = due[child + 1]!
        if (other < next || (other === next && heap[child + 1]!.sequence < heap[child]!.sequence)) {
          child++
          next = other
        }
      }
      if (next > at || (next === at && heap[child]!.sequence > last.sequence)) break
      heap[i] = heap[child]!
      due[i] = next
      i = child
    }
    heap[i] = last
    due[i] = at
  }
}
