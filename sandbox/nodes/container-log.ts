import { Signal } from '../world/signal.ts'
import type { Us } from '../world/time.ts'

/** A line of a container's output, and when it was written. */
export interface LogLine {
  readonly at: Us
  readonly text: string
}

/** Characters kept of one container's output. A kubelet's log files hold ten times as much. */
const KEPT_MAX = 2 ** 20

/** What one instance of a container has written: its latest lines, as far as they are kept. */
export class ContainerLog {
  /** A line came, or the container has ended. */
  readonly changed = new Signal()
  private kept: LogLine[] = []
  private size = 0
  private dropped = 0

  append(at: Us, text: string): void {
    this.kept.push({ at, text })
    this.size += text.length + 1
    if (this.size > KEPT_MAX) this.drop()
    this.changed.notify()
  }

  /** How many lines there were so far. */
  get written(): number {
    return this.dropped + this.kept.length
  }

  /** Those from the `first` on (counted from 0) that are kept. */
  from(first: number): readonly LogLine[] {
    return this.kept.slice(Math.max(0, first - this.dropped))
  }

  /** A quarter at once, so that dropping is rare. */
  private drop(): void {
    let count = 0
    while (this.size > (KEPT_MAX / 4) * 3 && count < this.kept.length) this.size -= this.kept[count++]!.text.length + 1
    this.kept = this.kept.slice(count)
    this.dropped += count
  }
}
