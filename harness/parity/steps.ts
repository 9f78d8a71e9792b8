/**
 * The counts passed on the way from one to another, the last included: two pods that get ready in one moment are seen as one change
 * by one watcher and as two by another.
 */
export function steps(from: number, to: number): number[] {
  const by = Math.sign(to - from)
  return Array.from({ length: Math.abs(to - from) }, (_, i) => from + by * (i + 1))
}
