import { Signal, sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'

/** An hour: kube-proxy's FullSyncPeriod. */
const MAX_INTERVAL: Us = seconds(3600)

/**
 * Runs a function soon after it is asked to, but not again within `minInterval`: requests in that time are run together at its
 * end. An idle runner runs at once. Follows pkg/proxy/runner/bounded_frequency_runner.go.
 */
export class BoundedFrequencyRunner {
  private readonly minInterval: Us
  private readonly fn: () => void
  private readonly asked = new Signal()
  private pending = false

  constructor(options: { minInterval: Us; fn: () => void }) {
    this.minInterval = options.minInterval
    this.fn = options.fn
  }

  /** Asks for a run. More requests before it are one. */
  run(): void {
    if (this.pending) return
    this.pending = true
    this.asked.notify()
  }

  *loop(): Task {
    for (;;) {
      if (!this.pending) yield* this.asked.waitFor(MAX_INTERVAL)
      this.pending = false
      this.fn()
      yield* sleep(this.minInterval)
    }
  }
}
