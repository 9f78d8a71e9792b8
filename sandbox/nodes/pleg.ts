import { perform, type Task } from '../world/actor.ts'
import type { Clock, Timer } from '../world/clock.ts'
import type { Us } from '../world/time.ts'
import { differs, emptyView, type PodRuntime, type PodView } from './pod-runtime.ts'
import { nextTick, RELIST_PERIOD } from './timings.ts'

/** A pod as the PLEG tracks it. */
export class PlegRecord {
  /** The last inspected state: the kubelet's pod cache. */
  view: PodView = emptyView
  observedAt: Us = -1
  readonly runtime: PodRuntime
  readonly onEvent: () => void

  constructor(runtime: PodRuntime, onEvent: () => void) {
    this.runtime = runtime
    this.onEvent = onEvent
  }
}

/**
 * Finds out what the container runtime did: every second by listing everything, and at once where a sync asked for it
 * (PLEGOnDemandRelist, on in 1.36; the evented PLEG is an alpha gate, off). Ticks at which nothing changed and nobody waits are
 * not run: they would do nothing. Follows pkg/kubelet/pleg/generic.go and pkg/kubelet/container/cache.go.
 */
export class Pleg {
  private readonly clock: Clock
  private readonly phase: Us
  private readonly relistTakes: Us
  private readonly changed = new Set<PlegRecord>()
  private waiters: { record: PlegRecord; wake: () => void }[] = []
  private timer: Timer | undefined

  constructor(options: { clock: Clock; phase: Us; relistTakes: Us }) {
    this.clock = options.clock
    this.phase = options.phase
    this.relistTakes = options.relistTakes
  }

  /** The runtime's state of the pod is no longer the inspected one. */
  markChanged(record: PlegRecord): void {
    this.changed.add(record)
    this.arm()
  }

  forget(record: PlegRecord): void {
    this.changed.delete(record)
  }

  /** Inspects one pod now, as after each sync that did something. */
  requestRelist(record: PlegRecord): void {
    const requestedAt = this.clock.now
    this.clock.after(this.relistTakes, () => {
      if (this.lastGlobalRelist() > requestedAt) return
      this.inspect(record)
      this.wake((r) => r === record)
    })
  }

  /** The pod's state as inspected after `since`; waits for the next relist when there is none. */
  *newerThan(record: PlegRecord, since: Us): Task<PodView> {
    if (since >= 0 && record.observedAt <= since && this.lastGlobalRelist() <= since)
      yield* perform<undefined>({
        start: (_clock, resume) => {
          const waiter = { record, wake: () => resume(undefined) }
          this.waiters.push(waiter)
          this.arm()
          return () => {
            this.waiters = this.waiters.filter((w) => w !== waiter)
          }
        },
      })
    return record.view
  }

  stop(): void {
    this.timer?.cancel()
    this.changed.clear()
    this.waiters = []
  }

  private lastGlobalRelist(): Us {
    return nextTick(this.clock.now, this.phase, RELIST_PERIOD) - (this.onTick() ? 0 : RELIST_PERIOD)
  }

  private onTick(): boolean {
    return (this.clock.now - this.phase) % RELIST_PERIOD === 0
  }

  private arm(): void {
    if (this.timer) return
    const at = nextTick(this.clock.now + 1, this.phase, RELIST_PERIOD)
    this.timer = this.clock.at(at, () => {
      this.timer = undefined
      for (const record of [...this.changed]) this.inspect(record)
      this.wake(() => true)
    })
  }

  private wake(whose: (record: PlegRecord) => boolean): void {
    if (this.waiters.length === 0) return
    const due = this.waiters.filter((w) => whose(w.record))
    this.waiters = this.waiters.filter((w) => !whose(w.record))
    for (const waiter of due) waiter.wake()
  }

  private inspect(record: PlegRecord): void {
    this.changed.delete(record)
    record.observedAt = this.clock.now
    const view = record.runtime.snapshot()
    const event = differs(record.view, view)
    // a stopped sandbox has no address any more, but the pod's status keeps the one it had
    record.view = view.ip === undefined && record.view.ip !== undefined ? { ...view, ip: record.view.ip } : view
    if (event) record.onEvent()
  }
}
