/**
 * Go's container/heap on an array: the same steps, so that of equal elements the same ones are kept as Prometheus keeps.
 * `less` says what stands nearer to the top.
 */
export function heapPush<T>(heap: T[], item: T, less: (a: T, b: T) => boolean): void {
  heap.push(item)
  for (let i = heap.length - 1; i > 0; ) {
    const parent = (i - 1) >> 1
    if (!less(heap[i]!, heap[parent]!)) break
    swap(heap, i, parent)
    i = parent
  }
}

/** Puts the heap in order after its top was replaced. */
export function heapFixTop<T>(heap: T[], less: (a: T, b: T) => boolean): void {
  for (let i = 0; ; ) {
    const left = 2 * i + 1
    if (left >= heap.length) return
    const child = left + 1 < heap.length && less(heap[left + 1]!, heap[left]!) ? left + 1 : left
    if (!less(heap[child]!, heap[i]!)) return
    swap(heap, i, child)
    i = child
  }
}

/** Go's sort.Sort for up to 12 elements, by insertion; the same order among more, but for equals, which Go leaves open. */
export function goSort<T>(items: T[], less: (a: T, b: T) => boolean): T[] {
  if (items.length > 12) return items.sort((a, b) => (less(a, b) ? (less(b, a) ? 0 : -1) : less(b, a) ? 1 : 0))
  for (let i = 1; i < items.length; i++)
    for (let j = i; j > 0 && less(items[j]!, items[j - 1]!); j--) swap(items, j, j - 1)
  return items
}

function swap<T>(items: T[], i: number, j: number): void {
  const item = items[i]!
  items[i] = items[j]!
  items[j] = item
}
