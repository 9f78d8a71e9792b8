import type { RequestTable } from './requests.ts'

/** Waiting requests (slots) in the order they are tried. */
export interface RequestQueue {
  readonly length: number
  add(slot: number): void
  /** Front of the queue under FCFS; by priority under the priority policy. */
  prepend(slot: number): void
  peek(): number
  pop(): number
  removeAll(slots: ReadonlySet<number>): void
  toArray(): number[]
}

/** Follows vllm/v1/core/sched/request_queue.py. */
export function createRequestQueue(policy: 'fcfs' | 'priority', table: RequestTable): RequestQueue {
  return policy === 'priority' ? new PriorityQueue(table) : new FcfsQueue()
}

/** A ring that grows, open at both ends. */
class FcfsQueue implements RequestQueue {
  length = 0
  private ring = new Int32Array(64)
  private head = 0

  add(slot: number): void {
    this.room()
    this.ring[(this.head + this.length++) & (this.ring.length - 1)] = slot
  }

  prepend(slot: number): void {
    this.room()
    this.head = (this.head - 1) & (this.ring.length - 1)
    this.ring[this.head] = slot
    this.length++
  }

  peek(): number {
    return this.ring[this.head]!
  }

  pop(): number {
    const slot = this.ring[this.head]!
    this.head = (this.head + 1) & (this.ring.length - 1)
    this.length--
    return slot
  }

  removeAll(slots: ReadonlySet<number>): void {
    const kept = this.toArray().filter((slot) => !slots.has(slot))
    this.head = 0
    this.length = kept.length
    this.ring.set(kept)
  }

  toArray(): number[] {
    return Array.from({ length: this.length }, (_, i) => this.ring[(this.head + i) & (this.ring.length - 1)]!)
  }

  private room(): void {
    if (this.length < this.ring.length) return
    const wider = new Int32Array(this.ring.length * 2)
    wider.set(this.toArray())
    this.ring = wider
    this.head = 0
  }
}

/** A binary heap by (priority, arrival, submission). */
class PriorityQueue implements RequestQueue {
  private heap: number[] = []
  private readonly table: RequestTable

  constructor(table: RequestTable) {
    this.table = table
  }

  get length(): number {
    return this.heap.length
  }

  add(slot: number): void {
    const { heap, table } = this
    let i = heap.length
    heap.push(slot)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!table.before(slot, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = slot
  }

  prepend(slot: number): void {
    this.add(slot)
  }

  peek(): number {
    return this.heap[0]!
  }

  pop(): number {
    const { heap, table } = this
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && table.before(heap[child + 1]!, heap[child]!)) child++
      if (!table.before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }

  removeAll(slots: ReadonlySet<number>): void {
    const kept = this.heap.filter((slot) => !slots.has(slot))
    this.heap = []
    for (const slot of kept) this.add(slot)
  }

  toArray(): number[] {
    return [...this.heap].sort((a, b) => (this.table.before(a, b) ? -1 : 1))
  }
}
