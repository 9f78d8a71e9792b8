import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { struckIn } from '../faults/aim.ts'
import type { Change } from '../objects-view.ts'
import type { CheckContext } from './check.ts'

/** The replica whose engine hangs: one process of one pod. */
export interface HungEngine {
  readonly podKey: string
  readonly uid: string
  readonly containerID: string | undefined
  readonly at: Us
  /** When its pod was first not Ready any more, deleted, or had another process. */
  outAt: Us | undefined
  /** When the process was gone. */
  endedAt: Us | undefined
  /** Why it was killed, as its event says. */
  killed: string | undefined
  /** Requests sent to it since that ended without an answer. */
  unanswered: number
}

/** Follows what becomes of the engine that a failure has hung. */
export class HungEngines {
  hung: HungEngine | undefined
  private readonly context: CheckContext

  constructor(context: CheckContext) {
    this.context = context
  }

  record(record: JournalRecord, change: Change | undefined): void {
    const struck = record.type === 'note' ? struckIn(record) : undefined
    if (struck && 'pod' in struck) this.begin(struck.pod, record.at)
    const { hung } = this
    if (!hung) return
    if (record.type === 'event' && record.key === hung.podKey && record.reason === 'Killing')
      hung.killed ??= record.message
    else if (record.type === 'request' && record.pod === hung.podKey && record.outcome !== 'ok' && !hung.endedAt)
      hung.unanswered++
    if (change?.kind !== Pod.id || change.key !== hung.podKey) return
    const pod = change.after as o.Pod | undefined
    if (!this.isRunning(pod)) hung.endedAt ??= record.at
    if (!pod || hung.endedAt || !isReady(pod) || pod.metadata.deletionTimestamp) hung.outAt ??= record.at
  }

  /** Whether the pod still has the process that hangs. */
  isRunning(pod: o.Pod | undefined): boolean {
    const { hung } = this
    return pod !== undefined && pod.metadata.uid === hung?.uid && processOf(pod, this.context) === hung.containerID
  }

  private begin(podKey: string, at: Us): void {
    const pod = this.context.view.get(Pod, podKey)
    if (!pod) return
    const { uid } = pod.metadata
    const containerID = processOf(pod, this.context)
    this.hung = { podKey, uid, containerID, at, outAt: undefined, endedAt: undefined, killed: undefined, unanswered: 0 }
  }
}

const processOf = ({ status }: o.Pod, { subject }: CheckContext): string | undefined => {
  const found = status.containerStatuses?.find(({ name }) => name === subject.container)
  return found?.state.running ? found.containerID : undefined
}
