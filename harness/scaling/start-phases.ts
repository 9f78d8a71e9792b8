import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Change, ObjectsView } from '../objects-view.ts'
import { isOf, type Subject } from '../subject.ts'
import { isWorkloadKind, workloadOf } from '../workload-object.ts'
import { between } from './autoscaler.ts'

/** When each step of bringing one more replica was over. Undefined: it has not come to it. */
export interface Start {
  readonly scaledAt: Us | undefined
  readonly createdAt: Us | undefined
  readonly scheduledAt: Us | undefined
  /** The server's container runs: its image has been pulled. */
  readonly startedAt: Us | undefined
  readonly readyAt: Us | undefined
}

type Steps = { -readonly [step in keyof Start]: Start[step] }

/** Follows how replicas come that an autoscaler asks for, from a moment on. */
export class StartPhases {
  private readonly subject: Subject
  private readonly view: ObjectsView
  private sinceUs: Us | undefined
  private before = 0
  private scaledAt: Us | undefined
  private readonly pods = new Map<string, Steps>()
  /** The most replicas that were asked for since then. */
  wanted = 0
  /** The fewest. */
  fewest = Number.POSITIVE_INFINITY

  constructor(subject: Subject, view: ObjectsView) {
    this.subject = subject
    this.view = view
  }

  /** Since when. */
  get beganAt(): Us {
    return this.sinceUs ?? 0
  }

  /** From now on. */
  begin(now: Us): void {
    this.sinceUs = now
    this.before = this.replicas() ?? 0
    this.wanted = this.before
    this.fewest = this.before
  }

  record({ at }: JournalRecord, change: Change | undefined): void {
    if (this.sinceUs === undefined || !change) return
    if (isWorkloadKind(change.kind) && change.key === this.subject.key) this.scaled(at)
    else if (change.kind === Pod.id && change.after && isOf(this.subject, change.after as o.Pod))
      this.pod(change.after as o.Pod, change.before === undefined, at)
  }

  /** Of the first replica that came; of the one that has come the furthest while none is Ready. */
  first(): Start {
    const all = [...this.pods.values()]
    const steps = all.find(({ readyAt }) => readyAt !== undefined) ?? all[0]
    return steps ?? { ...NOTHING, scaledAt: this.scaledAt }
  }

  private scaled(at: Us): void {
    const replicas = this.replicas()
    if (replicas === undefined) return
    if (replicas > this.wanted && replicas > this.before) this.scaledAt ??= at
    this.wanted = Math.max(this.wanted, replicas)
    this.fewest = Math.min(this.fewest, replicas)
  }

  private replicas(): number | undefined {
    return workloadOf(this.subject, this.view)?.spec.replicas
  }

  private pod(pod: o.Pod, isNew: boolean, at: Us): void {
    const { uid } = pod.metadata
    if (isNew) this.pods.set(uid, { ...NOTHING, scaledAt: this.scaledAt, createdAt: at })
    const steps = this.pods.get(uid)
    if (!steps) return
    if (pod.spec.nodeName) steps.scheduledAt ??= at
    const status = pod.status.containerStatuses?.find(({ name }) => name === this.subject.container)
    if (status?.state.running) steps.startedAt ??= at
    if (isReady(pod)) steps.readyAt ??= at
  }
}

const NOTHING: Start = {
  scaledAt: undefined,
  createdAt: undefined,
  scheduledAt: undefined,
  startedAt: undefined,
  readyAt: undefined,
}

/** `autoscaler 31s, pod 1s, node 0s, image 46s, load and probe 1m33s`. `from`: what the autoscaler's time counts from. */
export function phasesText(from: Us, { scaledAt, createdAt, scheduledAt, startedAt, readyAt }: Start): string {
  const steps = [
    ['autoscaler', from, scaledAt],
    ['pod', scaledAt, createdAt],
    ['node', createdAt, scheduledAt],
    ['image', scheduledAt, startedAt],
    ['load and probe', startedAt, readyAt],
  ] as const
  const open = steps.findIndex(([, , to]) => to === undefined)
  return (open < 0 ? steps : steps.slice(0, open + 1))
    .map(([name, start, end]) => (end === undefined ? `${name} not over` : `${name} ${between(start, end)}`))
    .join(', ')
}
