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

interface Entry extends Timer {
  at: Us
  sequence: number
  fn: (() => void) | undefined
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.sequence < b.sequence)

/**
 * Time that moves only when told to: a heap of (time, sequence). `runUntil` runs everything due, in order and
 * synchronously; nothing in the simulated world waits for a promise.
 */
export class VirtualClock implements Clock {
  now: Us = 0
  private readonly heap: Entry[] = []
  private sequence = 0
  /** Calls run so far: the simulator's unit of work. */
  events = 0

  at(at: Us, fn: () => void): Timer {
    const entry: Entry = {
      at: at > this.now ? Math.round(at) : this.now,
      sequence: this.sequence++,
      fn,
      cancel() {
        entry.fn = undefined
      },
    }
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
    const heap = this.heap
    let i = heap.length
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  private pop(): void {
    const heap = this.heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}
