import type { JournalRecord } from '../sandbox/journal/record.ts'
import { Deployment } from '../sandbox/kube/kinds.ts'
import type * as o from '../sandbox/kube/objects.ts'
import { condition } from '../sandbox/kube/pods.ts'
import type { Us } from '../sandbox/world/time.ts'
import type { Change } from './objects-view.ts'
import type { Subject } from './subject.ts'

/** The moments of a trial from which, or at which, deadlines count. */
export class Milestones {
  /** When the last fault or change began, or was healed; undefined before. */
  lastFaultAt: Us | undefined
  /** When the subject's Deployment first said, after the platform had settled, that it makes no progress. */
  deadlineExceededAt: Us | undefined
  private readonly subject: Subject

  constructor(subject: Subject) {
    this.subject = subject
  }

  record(record: JournalRecord, change: Change | undefined, settled: boolean): void {
    if (record.type === 'fault') this.lastFaultAt = record.at
    if (!settled || change?.kind !== Deployment.id || change.key !== this.subject.key || !change.after) return
    const { reason } = condition(change.after as o.Deployment, 'Progressing') ?? {}
    if (reason === 'ProgressDeadlineExceeded') this.deadlineExceededAt ??= record.at
  }
}
