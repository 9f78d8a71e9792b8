import type { Us } from '../../world/time.ts'
import type { SeriesRef, Tsdb } from './tsdb.ts'

/**
 * Writes the rounds of one origin of samples (a scrape target, a rule) and marks as stale the series that a round no longer has.
 * Follows scrape/scrape.go (scrapeCache) and rules/group.go. Rounds with the same series in the same order cost no lookups.
 */
export class RoundWriter {
  private readonly tsdb: Tsdb
  private previous: SeriesRef[] = []
  private current: SeriesRef[] = []
  private same = true

  constructor(tsdb: Tsdb) {
    this.tsdb = tsdb
  }

  /** A sample of the round at `at`. False when the store rejected it. */
  append(ref: SeriesRef, at: Us, value: number): boolean {
    if (!this.tsdb.append(ref, at, value)) return false
    if (this.previous[this.current.length] !== ref) this.same = false
    this.current.push(ref)
    return true
  }

  /** Ends the round at `at`: what the round before had and this one has not is gone. */
  finish(at: Us): void {
    if (!this.same || this.previous.length !== this.current.length) {
      const seen = new Set(this.current)
      for (const ref of this.previous) if (!seen.has(ref)) this.tsdb.markStale(ref, at)
    }
    const emptied = this.previous
    emptied.length = 0
    this.previous = this.current
    this.current = emptied
    this.same = true
  }

  /** The origin is gone, or could not be read: so are all its series. */
  gone(at: Us): void {
    this.current.length = 0
    this.same = false
    this.finish(at)
  }
}
