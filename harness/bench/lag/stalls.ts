/** Times this process did not run, in milliseconds of `performance.now`. */
export interface Stalls {
  /** Whether the process stood still at some time between. */
  overlap(from: number, to: number): boolean
  readonly count: number
  stop(): void
}

const TICK_MS = 2

/**
 * Notes when our own event loop stood still for longer than `limitMs`, because other programs had the processors or we collected
 * garbage: a sample taken then measures this process and not the API server.
 */
export function watchStalls(limitMs = 6): Stalls {
  const stalls: [from: number, to: number][] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    if (now - last > TICK_MS + limitMs) stalls.push([last, now])
    last = now
  }, TICK_MS)
  return {
    overlap: (from, to) => stalls.some(([begin, end]) => begin < to && end > from),
    get count() {
      return stalls.length
    },
    stop: () => clearInterval(timer),
  }
}
