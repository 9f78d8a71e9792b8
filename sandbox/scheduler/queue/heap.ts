/** A heap whose items can be found, changed and taken out by key. Follows pkg/scheduler/backend/heap/heap.go. */
export class KeyedHeap<T> {
  private readonly items: T[] = []
  private readonly places = new Map<string, number>()
  private readonly key: (item: T) => string
  private readonly before: (a: T, b: T) => boolean

  constructor(options: { key: (item: T) => string; before: (a: T, b: T) => boolean }) {
    this.key = options.key
    this.before = options.before
  }

  get size(): number {
    return this.items.length
  }

  get(key: string): T | undefined {
    const at = this.places.get(key)
    return at === undefined ? undefined : this.items[at]
  }

  peek(): T | undefined {
    return this.items[0]
  }

  /** Adds the item, or puts it in the place of the one with its key. */
  set(item: T): void {
    const key = this.key(item)
    const at = this.places.get(key) ?? this.items.length
    this.items[at] = item
    this.places.set(key, at)
    this.down(this.up(at))
  }

  pop(): T | undefined {
    const first = this.items[0]
    if (first !== undefined) this.removeAt(0)
    return first
  }

  delete(key: string): T | undefined {
    const at = this.places.get(key)
    if (at === undefined) return undefined
    const item = this.items[at]!
    this.removeAt(at)
    return item
  }

  private removeAt(at: number): void {
    this.places.delete(this.key(this.items[at]!))
    const last = this.items.pop()!
    if (at === this.items.length) return
    this.items[at] = last
    this.places.set(this.key(last), at)
    this.down(this.up(at))
  }

  private up(from: number): number {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.before(this.items[at]!, this.items[parent]!)) break
      this.swap(at, parent)
      at = parent
    }
    return at
  }

  private down(from: number): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.items.length) return
      if (child + 1 < this.items.length && this.before(this.items[child + 1]!, this.items[child]!)) child++
      if (!this.before(this.items[child]!, this.items[at]!)) return
      this.swap(at, child)
      at = child
    }
  }

  private swap(a: number, b: number): void {
    const [x, y] = [this.items[a]!, this.items[b]!]
    this.items[a] = y
    this.items[b] = x
    this.places.set(this.key(y), a)
    this.places.set(this.key(x), b)
  }
}
