import type { JournalRecord } from '../../../sandbox/journal/record.ts'
import { HorizontalPodAutoscaler, Node, Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { isFinished } from '../../../sandbox/kube/pods.ts'
import { type Change, ObjectsView } from '../../objects-view.ts'
import type { Violations } from '../violation.ts'
import { BudgetRules } from './budgets.ts'
import type { ProgramWatch } from './programs.ts'
import { QuotaRules } from './quotas.ts'
import { type Amounts, amountsOf, larger, plus, requestsOf } from './requests.ts'

/** Rules that hold after every write, checked over the journal as it grows. */
export class AlwaysRules {
  readonly view = new ObjectsView()
  readonly budgets: BudgetRules
  private readonly quotas: QuotaRules
  /** What each node had at most. */
  private readonly most = new Map<string, Amounts>()
  private readonly violations: Violations
  private readonly watch: ProgramWatch

  constructor(violations: Violations, watch: ProgramWatch) {
    this.violations = violations
    this.watch = watch
    this.budgets = new BudgetRules(this.view, violations)
    this.quotas = new QuotaRules(this.view, violations)
  }

  take(record: JournalRecord): void {
    const change = this.view.apply(record)
    if (!change) return
    const by = (record as { by?: string }).by ?? ''
    this.budgets.take(change, record.at, by)
    this.quotas.take(change, record.at, by)
    if (change.kind === Node.id && change.after) this.node(change.after as o.Node)
    if (change.kind === Pod.id) this.pod(change, by)
    if (change.kind === HorizontalPodAutoscaler.id)
      this.horizontal(change.after as o.HorizontalPodAutoscaler | undefined)
  }

  private node({ metadata, status }: o.Node): void {
    const before = this.most.get(metadata.name)
    this.most.set(metadata.name, before ? larger(before, amountsOf(status.capacity)) : amountsOf(status.capacity))
  }

  private pod({ before, after, key }: Change, by: string): void {
    const [was, is] = [before as o.Pod | undefined, after as o.Pod | undefined]
    if (was?.spec.nodeName && !is && !by.startsWith('kubelet/')) this.watch.forced.add(was.metadata.uid)
    if (is?.spec.nodeName && !was?.spec.nodeName) this.room(is)
    if (was && is && was.spec.nodeName && is.spec.nodeName !== was.spec.nodeName)
      this.violations.add('pod-moved', `${key} went from ${was.spec.nodeName} to ${is.spec.nodeName} by ${by}`)
    if (was && is && isFinished(was) && was.status.phase !== is.status.phase)
      this.violations.add('phase-went-back', `${key} went from ${was.status.phase} to ${is.status.phase} by ${by}`)
  }

  private horizontal(hpa: o.HorizontalPodAutoscaler | undefined): void {
    if (!hpa) return
    const { minReplicas, maxReplicas } = hpa.spec
    const { desiredReplicas } = hpa.status
    if (
      desiredReplicas > maxReplicas ||
      (desiredReplicas < minReplicas && desiredReplicas > 0 && hpa.status.lastScaleTime)
    )
      this.violations.add(
        'hpa-out-of-bounds',
        `${hpa.metadata.name} wants ${desiredReplicas} of ${minReplicas} to ${maxReplicas}`,
      )
  }

  /** The scheduler fills no node beyond what it has. */
  private room(pod: o.Pod): void {
    const node = this.view.get(Node, pod.spec.nodeName!)
    if (!node) return
    // after a boot the node has no GPUs for a while, and the scheduler need not know yet
    const capacity = this.most.get(node.metadata.name)!
    const used = this.view
      .list(Pod)
      .filter((one) => one.spec.nodeName === node.metadata.name && !isFinished(one))
      .map(requestsOf)
      .reduce(plus, {})
    for (const [resource, amount] of Object.entries(used))
      if (amount > (capacity[resource] ?? 0) + TINY)
        this.violations.add(
          'node-overbooked',
          `${node.metadata.name}: ${amount} of ${capacity[resource] ?? 0} ${resource} with ${pod.metadata.name}`,
        )
  }
}

const TINY = 1e-6
