import type { KubeObject } from '../../kube/objects.ts'
import type { ClusterEvent } from '../framework/events.ts'

/** A change seen while pods were being scheduled. */
export interface SeenEvent {
  readonly event: ClusterEvent
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/**
 * The pods being scheduled and, in order, the changes since each was taken: a pod that turns out not to fit is judged by
 * those too. Follows pkg/scheduler/backend/queue/active_queue.go.
 */
export class InFlight {
  private log: (SeenEvent | { readonly uid: string })[] = []
  private readonly pods = new Set<string>()

  get empty(): boolean {
    return this.pods.size === 0
  }

  has(uid: string): boolean {
    return this.pods.has(uid)
  }

  begin(uid: string): void {
    this.pods.add(uid)
    this.log.push({ uid })
  }

  /** Ends a pod's flight; changes nobody may ask about any more are dropped. */
  end(uid: string): void {
    if (!this.pods.delete(uid)) return
    if (this.pods.size === 0) {
      this.log = []
      return
    }
    this.log = this.log.filter((entry) => !('uid' in entry && entry.uid === uid))
    const first = this.log.findIndex((entry) => 'uid' in entry)
    this.log = first < 0 ? [] : this.log.slice(first)
  }

  record(seen: SeenEvent): void {
    if (this.pods.size > 0) this.log.push(seen)
  }

  /** The changes since the pod was taken. */
  since(uid: string): SeenEvent[] {
    const from = this.log.findIndex((entry) => 'uid' in entry && entry.uid === uid)
    return from < 0 ? [] : this.log.slice(from + 1).filter((entry) => 'event' in entry)
  }
}
