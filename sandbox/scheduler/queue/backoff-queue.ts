import type { Clock, Timer } from '../../world/clock.ts'
import { seconds, type Us } from '../../world/time.ts'
import { KeyedHeap } from './heap.ts'
import { comesFirst, type QueuedPod } from './queued-pod.ts'

const INITIAL_BACKOFF: Us = seconds(1)
const MAX_BACKOFF: Us = seconds(10)
/** Backoffs end on whole seconds, so that pods whose backoffs end together come by priority. */
const WINDOW: Us = seconds(1)

/** Pods that were rejected and wait before they are tried again. Follows pkg/scheduler/backend/queue/backoff_queue.go. */
export class BackoffQueue {
  private readonly clock: Clock
  private readonly onCompleted: (pods: readonly QueuedPod[]) => void
  private readonly rejected: KeyedHeap<QueuedPod>
  private readonly failed: KeyedHeap<QueuedPod>
  private tick: Timer | undefined

  constructor(options: { clock: Clock; onCompleted: (pods: readonly QueuedPod[]) => void }) {
    this.clock = options.clock
    this.onCompleted = options.onCompleted
    const before = (a: QueuedPod, b: QueuedPod): boolean => {
      const [until, other] = [this.backoffUntil(a), this.backoffUntil(b)]
      return until !== other ? until < other : comesFirst(a, b)
    }
    this.rejected = new KeyedHeap({ key: (pod) => pod.key, before })
    this.failed = new KeyedHeap({ key: (pod) => pod.key, before })
  }

  get size(): number {
    return this.rejected.size + this.failed.size
  }

  isBackingOff(pod: QueuedPod): boolean {
    return this.backoffUntil(pod) >= align(this.clock.now)
  }

  /** Pods that met an error wait apart: they are never popped early. */
  add(pod: QueuedPod): void {
    ;(pod.rejectors.size === 0 ? this.failed : this.rejected).set(pod)
    this.arm()
  }

  get(key: string): QueuedPod | undefined {
    return this.rejected.get(key) ?? this.failed.get(key)
  }

  /** Puts the pod where its changed contents belong. */
  refresh(pod: QueuedPod): void {
    if (this.rejected.get(pod.key)) this.rejected.set(pod)
    else this.failed.set(pod)
  }

  delete(key: string): QueuedPod | undefined {
    return this.rejected.delete(key) ?? this.failed.delete(key)
  }

  /** The rejected pod whose backoff ends first: taken early when there is nothing else to do. */
  popEarly(): QueuedPod | undefined {
    return this.rejected.pop()
  }

  /** 1 s, doubled with each failure up to 10 s, rounded down to a whole second. */
  private backoffUntil(pod: QueuedPod): Us {
    const count = pod.consecutiveErrors > 0 ? pod.consecutiveErrors : pod.unschedulableCount
    if (count === 0) return Number.NEGATIVE_INFINITY
    pod.backoffUntil ??= align(pod.timestamp + Math.min(INITIAL_BACKOFF * 2 ** Math.min(count - 1, 10), MAX_BACKOFF))
    return pod.backoffUntil
  }

  private arm(): void {
    if (this.tick || this.size === 0) return
    this.tick = this.clock.at(align(this.clock.now) + WINDOW, () => {
      this.tick = undefined
      const completed = [...this.completed(this.rejected), ...this.completed(this.failed)]
      if (completed.length > 0) this.onCompleted(completed)
      this.arm()
    })
  }

  private completed(heap: KeyedHeap<QueuedPod>): QueuedPod[] {
    const pods: QueuedPod[] = []
    for (let first = heap.peek(); first && !this.isBackingOff(first); first = heap.peek()) pods.push(heap.pop()!)
    return pods
  }
}

const align = (at: Us): Us => Math.floor(at / WINDOW) * WINDOW
