import type { JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { Broken, CheckContext, Evidence } from '../expectations/check.ts'
import type { Change } from '../objects-view.ts'
import { Attainment } from '../slo/attainment.ts'
import { recordsIn, windowEvidence, windowText } from '../slo/evidence.ts'
import { attainmentText } from '../slo/follow.ts'
import { type ObjectiveName, objectivesFor } from '../slo/objective.ts'
import { readyPods } from '../subject.ts'
import { isWorkloadKind, workloadOf } from '../workload-object.ts'
import { saysOf } from './autoscaler.ts'

/** Follows whether replicas that the load needs are taken away again once they have served off what waited, and what becomes of the promises. */
export class TakenAway {
  /** When fewer were asked for than the load needs, after there had been enough; undefined while that has not been. */
  at: Us | undefined
  private readonly context: CheckContext
  private readonly objective: ObjectiveName
  private enough = false
  private readonly replicas: { at: Us; count: number }[] = []
  private readonly requests: RequestRecord[] = []
  private attainments: readonly Attainment[] = []
  private said: Evidence[] | undefined

  constructor(context: CheckContext, objective: ObjectiveName) {
    this.context = context
    this.objective = objective
  }

  record(record: JournalRecord, change: Change | undefined): void {
    const { subject, view, loadSteadyAt } = this.context
    const { at } = record
    if (change && isWorkloadKind(change.kind) && change.key === subject.key) this.scaled(at)
    if (this.at === undefined) {
      const steadyAt = loadSteadyAt()
      const steady = steadyAt !== undefined && at >= steadyAt
      if (steady && !this.enough && record.type === 'object')
        this.enough = readyPods(subject, view) >= this.needed() && this.asked() >= this.needed()
      if (steady && this.enough && this.asked() < this.needed()) this.fall(at)
      return
    }
    // its status is written after the scale
    if (this.said === undefined && at - this.at > SAID_WITHIN) this.said = saysOf(subject, view, at)
    if (record.type !== 'request' || record.target !== subject.key || record.intendedAt < this.at) return
    this.requests.push(record)
    for (const one of this.attainments) one.add(record)
  }

  /** What stands against the autoscaler: replicas were taken away under the same load, and a promise was broken then. */
  broken(): Broken | undefined {
    const { now, openRequests, subject, view } = this.context
    if (this.at === undefined) return undefined
    for (const attainment of this.attainments) {
      const judgement = attainment.firstBroken({ now: now(), open: [...openRequests()] })
      if (!judgement) continue
      const { objective } = attainment
      const records = recordsIn(this.requests, judgement)
      return {
        at: this.at,
        cause: 'autoscaler-flaps',
        wanted: Math.ceil(this.needed()),
        what: `the autoscaler took replicas away again under the same load (${this.overTime()}), and ${attainmentText(attainment)} was not met: ${windowText(objective, judgement, records)}`,
        evidence: [
          { at: this.at, about: subject.key, text: `replicas over time: ${this.overTime()}` },
          ...(this.said ?? saysOf(subject, view, now())),
          ...windowEvidence(objective, judgement, records).slice(0, 1),
        ],
      }
    }
    return undefined
  }

  private fall(at: Us): void {
    this.at = at
    this.attainments = objectivesFor(this.context.slos, this.objective).map(
      (objective) => new Attainment({ objective, windowUs: WINDOW, startUs: at, tenant: undefined }),
    )
  }

  private scaled(at: Us): void {
    const count = this.asked()
    if (count !== this.replicas.at(-1)?.count) this.replicas.push({ at, count })
  }

  private asked(): number {
    const { subject, view } = this.context
    return workloadOf(subject, view)?.spec.replicas ?? 0
  }

  private needed(): number {
    return (this.context.peakReplicas() ?? 0) * ALMOST
  }

  private overTime(): string {
    return this.replicas.map(({ at, count }) => `${count} from ${formatDuration(at)}`).join(', ')
  }
}

const WINDOW: Us = 60e6
/** A sync of the HPA. */
const SAID_WITHIN: Us = 15e6
/** Capacities are worked out to a few percent. */
const ALMOST = 0.95
