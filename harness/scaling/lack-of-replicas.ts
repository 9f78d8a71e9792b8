import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { HorizontalPodAutoscaler } from '../../sandbox/kube/objects.ts'
import { condition, isActive } from '../../sandbox/kube/pods.ts'
import { formatDuration, type Us } from '../../sandbox/world/time.ts'
import type { Broken, CheckContext, Evidence } from '../expectations/check.ts'
import type { Change } from '../objects-view.ts'
import { podName, podsOf, readyPods } from '../subject.ts'
import { workloadOf } from '../workload-object.ts'
import { between, hpaOf, saysOf } from './autoscaler.ts'
import { EngineGauges, WAITING } from './engine-gauges.ts'
import { phasesText, StartPhases } from './start-phases.ts'

/** Follows what an autoscaler does when the load rises beyond what runs, and says why that was not enough. */
export class LackOfReplicas {
  readonly gauges = new EngineGauges()
  private readonly context: CheckContext
  private readonly starts: StartPhases
  private begun = false
  private before = 0
  private roseAt: Us = 0
  /** What the autoscaler said when most requests waited. */
  private said: Evidence[] = []
  private saidAbout = 0

  constructor(context: CheckContext) {
    this.context = context
    this.starts = new StartPhases(context.subject, context.view)
  }

  record(record: JournalRecord, change: Change | undefined): void {
    const { subject, view, phase, loadStepAt } = this.context
    if (!this.begun && phase() === 'timeline') {
      this.begun = true
      this.before = readyPods(subject, view)
      this.starts.begin(record.at)
    }
    if (!this.begun) return
    const stepAt = loadStepAt()
    if (stepAt !== undefined && this.roseAt !== stepAt) {
      this.roseAt = stepAt
      this.gauges.begin(stepAt)
    }
    this.starts.record(record, change)
    this.gauges.record(record)
    const { waiting, at } = this.gauges.most
    if (record.type === 'object' && waiting > this.saidAbout && record.at - at > LATER) {
      this.saidAbout = waiting
      this.said = saysOf(subject, view, record.at)
    }
  }

  /** Whether replicas were taken away under a steady load. */
  fell(): boolean {
    return this.starts.fewest < this.before
  }

  /** What was done, in words. */
  acted(): string {
    if (this.starts.wanted <= this.before) return `${this.before} replicas were enough`
    return `${this.before} replicas became ${this.starts.wanted}, the first ${this.phases()}`
  }

  /** Why promises are not met again. */
  explain(missing: Broken): Broken {
    const { subject, view, now, peakReplicas } = this.context
    const at = now()
    const needed = Math.ceil((peakReplicas() ?? 0) * ALMOST)
    const ready = readyPods(subject, view)
    const wanted = workloadOf(subject, view)?.spec.replicas ?? 0
    const says = this.said.length > 0 ? this.said : saysOf(subject, view, at)
    const evidence = [...this.queue(), ...says, ...missing.evidence.slice(0, 1)]
    const pending = podsOf(subject, view).find(
      (pod) => isActive(pod) && condition(pod, 'PodScheduled')?.status === 'False',
    )
    const lack = `${ready} of ${needed} needed replicas are Ready`
    if (ready < needed && pending)
      return {
        at,
        cause: 'scale-out-has-no-gpu',
        wanted: wanted - ready,
        what: `${lack}: ${pending.metadata.name} waits for a node, and ${missing.what}`,
        evidence: [
          { at, about: podName(pending), text: condition(pending, 'PodScheduled')?.message ?? '' },
          ...evidence,
        ],
      }
    const held = heldBack(hpaOf(subject, view))
    if (held)
      return {
        at,
        cause: 'scale-out-too-slow',
        wanted: needed,
        what: `${lack}; the autoscaler wants more and is held back (${held.reason}): ${missing.what}`,
        evidence: [
          { at, about: `HorizontalPodAutoscaler of ${subject.key}`, text: `${held.reason}: ${held.message}` },
          ...evidence,
        ],
      }
    if (this.starts.wanted <= this.before || this.fell())
      return this.withBatch({
        at,
        cause: 'autoscaler-blind',
        wanted: needed,
        what: `${this.blindness()}: ${missing.what}`,
        evidence,
      })
    const max = hpaOf(subject, view)?.spec.maxReplicas ?? Number.POSITIVE_INFINITY
    if (wanted >= max && ready >= max)
      return {
        at,
        cause: 'max-replicas-too-low',
        wanted: max + 1,
        what: `all ${max} replicas run: ${missing.what}`,
        evidence,
      }
    return {
      at,
      cause: 'scale-out-too-slow',
      wanted: needed,
      what: `${lack}; the first came ${this.phases()}: ${missing.what}`,
      evidence,
    }
  }

  /** With how many requests a replica runs at once when it is full. */
  withBatch(broken: Broken): Broken {
    const { batch } = this.gauges
    return batch === undefined ? broken : { ...broken, batch }
  }

  private blindness(): string {
    const { waiting } = this.gauges.most
    const queue = waiting > 0 ? `while up to ${waiting} requests waited on a replica` : 'while requests were late'
    return this.fell()
      ? `the autoscaler went from ${this.before} replicas to ${this.starts.fewest} ${queue}`
      : `the autoscaler never asked for more than ${this.before} ${this.before === 1 ? 'replica' : 'replicas'} ${queue}`
  }

  /** From the rise of the load until one more replica was Ready. */
  private phases(): string {
    const start = this.starts.first()
    if (start.readyAt !== undefined && start.readyAt <= this.roseAt) return 'Ready before the load rose'
    return `Ready ${between(this.roseAt, start.readyAt)} after the load began to rise (${phasesText(this.roseAt, start)})`
  }

  private queue(): Evidence[] {
    const { waiting, at, pod } = this.gauges.most
    const since = this.gauges.waitingSince
    if (since === undefined) return []
    return [{ at, about: `Pod ${pod}`, text: `${WAITING} ${waiting}, above 0 since ${formatDuration(since)}` }]
  }
}

/** The condition by which an autoscaler says that its behaviour keeps it from adding replicas now. */
const heldBack = (hpa: HorizontalPodAutoscaler | undefined) =>
  hpa?.status?.conditions?.find(({ reason }) => reason === 'ScaleUpStabilized' || reason === 'ScaleUpLimit')

/** An autoscaler gets so long to see what waits before it is heard. */
const LATER: Us = 60e6
/** Capacities are worked out to a few percent. */
const ALMOST = 0.95
