import type { Clock, Timer } from '../../world/clock.ts'
import { seconds, type Us } from '../../world/time.ts'
import { KeyedHeap } from './heap.ts'
import { comesFirst, type QueuedPod } from './queued-pod.ts'

/** How long a rejected pod waits at first, and at most. */
export interface Backoff {
  readonly initial: Us
  readonly max: Us
}

const DEFAULT_BACKOFF: Backoff = { initial: seconds(1), max: seconds(10) }
/** Backoffs end on whole seconds, so that pods whose backoffs end together come by priority. */
const WINDOW: Us = seconds(1)

/** Pods that were rejected and wait before they are tried again. Follows pkg/scheduler/backend/queue/backoff_queue.go. */
export class BackoffQueue {
  private readonly clock: Clock
  private readonly onCompleted: (pods: readonly QueuedPod[]) => void
  private readonly rejected: KeyedHeap<QueuedPod>
  private readonly failed: KeyedHeap<QueuedPod>
  private readonly durations: Backoff
  private tick: Timer | undefined

  constructor(options: {
    clock: Clock
    durations?: Backoff | undefined
    onCompleted: (pods: readonly QueuedPod[]) => void
  }) {
    this.clock = options.clock
    this.onCompleted = options.onCompleted
    this.durations = options.durations ?? DEFAULT_BACKOFF
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

  /** The first, doubled with each failure up to the longest, rounded down to a whole second. */
  private backoffUntil(pod: QueuedPod): Us {
    const count = pod.consecutiveErrors > 0 ? pod.consecutiveErrors : pod.unschedulableCount
    if (count === 0) return Number.NEGATIVE_INFINITY
    const { initial, max } = this.durations
    pod.backoffUntil ??= align(pod.timestamp + Math.min(initial * 2 ** (count - 1), max))
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
