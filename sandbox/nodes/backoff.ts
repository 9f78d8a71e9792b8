import { seconds, type Us } from '../world/time.ts'

interface Entry {
  backoff: Us
  lastUpdate: Us
}

/** Exponential back-off per item. Follows k8s.io/client-go/util/flowcontrol/backoff.go, without jitter, as the kubelet makes it. */
export class Backoff {
  private readonly initial: Us
  private readonly max: Us
  private readonly expiresAfter: Us
  private readonly entries = new Map<string, Entry>()

  /** An item unused for longer than `expiresAfter` (upstream's default: twice the maximum) begins anew. */
  constructor(options: { initial: Us; max: Us; expiresAfter?: Us }) {
    this.initial = options.initial
    this.max = options.max
    this.expiresAfter = options.expiresAfter ?? 2 * options.max
  }

  get(id: string): Us {
    return this.entries.get(id)?.backoff ?? 0
  }

  next(id: string, eventAt: Us, now: Us): void {
    const entry = this.entries.get(id)
    const fresh = !entry || eventAt - entry.lastUpdate > this.expiresAfter
    this.entries.set(id, { backoff: fresh ? this.initial : Math.min(entry.backoff * 2, this.max), lastUpdate: now })
  }

  /** Whether less than the item's back-off has passed since the event. */
  isActiveSince(id: string, eventAt: Us, now: Us): boolean {
    const entry = this.entries.get(id)
    if (!entry || eventAt - entry.lastUpdate > this.expiresAfter) return false
    return now - eventAt < entry.backoff
  }

  /** Whether less than the item's back-off has passed since it last grew. */
  isActiveSinceUpdate(id: string, now: Us): boolean {
    const entry = this.entries.get(id)
    if (!entry || now - entry.lastUpdate > this.expiresAfter) return false
    return now - entry.lastUpdate < entry.backoff
  }

  forget(prefix: string): void {
    for (const id of this.entries.keys()) if (id.startsWith(prefix)) this.entries.delete(id)
  }
}

/** Container restarts: 10 s doubling to 5 min, anew after 10 min. The reduced decay of 1.33 is an alpha gate, off in 1.36. */
export const crashLoopBackoff = (): Backoff =>
  new Backoff({ initial: seconds(10), max: seconds(300), expiresAfter: seconds(600) })

export const imageBackoff = (): Backoff => new Backoff({ initial: seconds(10), max: seconds(300) })
