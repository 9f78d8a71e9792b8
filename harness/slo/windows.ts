import type { Us } from '../../sandbox/world/time.ts'

/** A stretch of time by the requests that were meant to be sent in it. */
export interface Window {
  readonly fromUs: Us
  readonly untilUs: Us
  /** Requests that say something about the objective. */
  readonly judged: number
  readonly good: number
  /** Those that do not say it yet. */
  readonly pending: number
}

/** Requests under way, by when they were meant to be sent: sure to be bad, or either. */
export interface UnderWay {
  readonly late: readonly Us[]
  readonly pending: readonly Us[]
}

/**
 * Good and bad requests by when they were meant to be sent: so one that is never answered is missed where it was sent, not where it would have
 * ended. Adding is O(1); going through the windows takes as long as there are buckets.
 */
export class Windows {
  readonly bucketUs: Us
  private readonly startUs: Us
  private readonly judged: number[] = []
  private readonly good: number[] = []

  /** `startUs`: before it nothing is sent. Windows slide by `bucketUs`. */
  constructor(startUs: Us, bucketUs: Us) {
    this.startUs = startUs
    this.bucketUs = bucketUs
  }

  add(intendedAt: Us, good: boolean): void {
    const i = this.bucketOf(intendedAt)
    while (this.judged.length <= i) {
      this.judged.push(0)
      this.good.push(0)
    }
    this.judged[i]!++
    if (good) this.good[i]!++
  }

  /** Every window of `lengthUs` (whole buckets of it) that is over at `endUs`, in the order of time. */
  *all(lengthUs: Us, endUs: Us, underWay: UnderWay): Generator<Window, void> {
    const length = Math.max(1, Math.round(lengthUs / this.bucketUs))
    const buckets = Math.floor((endUs - this.startUs) / this.bucketUs)
    const late = this.counted(underWay.late)
    const pending = this.counted(underWay.pending)
    let [judged, good, waiting] = [0, 0, 0]
    for (let i = 0; i < buckets; i++) {
      judged += (this.judged[i] ?? 0) + (late.get(i) ?? 0)
      good += this.good[i] ?? 0
      waiting += pending.get(i) ?? 0
      const out = i - length
      if (out >= 0) {
        judged -= (this.judged[out] ?? 0) + (late.get(out) ?? 0)
        good -= this.good[out] ?? 0
        waiting -= pending.get(out) ?? 0
      }
      if (i < length - 1) continue
      const fromUs = this.startUs + (out + 1) * this.bucketUs
      yield { fromUs, untilUs: fromUs + length * this.bucketUs, judged, good, pending: waiting }
    }
  }

  /** All the time up to `endUs` as one window. */
  whole(endUs: Us, { late, pending }: UnderWay): Window {
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
    return {
      fromUs: this.startUs,
      untilUs: endUs,
      judged: sum(this.judged) + late.length,
      good: sum(this.good),
      pending: pending.length,
    }
  }

  private bucketOf(at: Us): number {
    return Math.max(0, Math.floor((at - this.startUs) / this.bucketUs))
  }

  private counted(times: readonly Us[]): Map<number, number> {
    const counts = new Map<number, number>()
    for (const at of times) {
      const i = this.bucketOf(at)
      counts.set(i, (counts.get(i) ?? 0) + 1)
    }
    return counts
  }
}
