import { Deployment, Pod, PodDisruptionBudget, ReplicaSet, StatefulSet } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition, isFinished, isReady } from '../../../sandbox/kube/pods.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'
import type { Change, ObjectsView } from '../../objects-view.ts'
import type { Violations } from '../violation.ts'
import type { Finding } from './eventual.ts'
import { allowanceOf, budgetsFor, isHealthy, isMeant, podsOf } from './expected.ts'

/** How long a budget's status may not know yet of a pod that was lost or of a workload that was scaled. */
const BUDGET_LAG: Us = seconds(15)
/** How long it may not know yet of a pod that came or went. */
const POD_LAG: Us = seconds(3)

/**
 * What budgets promise: a Ready pod is evicted only when its one budget allowed it and counted it, and enough are left. Pods that
 * are lost otherwise (preempted by the scheduler, deleted by a controller, dead with their node) break budgets by design; for a
 * while after them a budget may not know.
 */
export class BudgetRules {
  private readonly view: ObjectsView
  private readonly violations: Violations
  /** Pods that were lost, or became unready, other than by eviction. */
  private losses: { at: Us; pod: o.Pod }[] = []
  /** When a workload was last scaled, came or went, and when a pod came or went; by namespace. */
  private readonly scaledAt = new Map<string, Us>()
  private readonly podsAt = new Map<string, Us>()
  /** Budgets that once meant a pod together: of their pods' changes each may miss some, as the controller looks at one of them alone. */
  private readonly overlapping = new Set<string>()
  /** The budget as it was before the API server last counted an eviction in it. */
  private readonly counted = new Map<string, { at: Us; before: o.PodDisruptionBudget; after: o.PodDisruptionBudget }>()

  constructor(view: ObjectsView, violations: Violations) {
    this.view = view
    this.violations = violations
  }

  take(change: Change, at: Us, by: string): void {
    const { kind, key, before, after } = change
    const namespace = (after ?? before)?.metadata.namespace ?? ''
    if (kind === Pod.id) this.pod(before as o.Pod | undefined, after as o.Pod | undefined, at)
    if (kind === Deployment.id || kind === StatefulSet.id || kind === ReplicaSet.id)
      if (replicasOf(before) !== replicasOf(after) || !before || !after) this.scaledAt.set(namespace, at)
    if (kind !== PodDisruptionBudget.id || !before || !after) return
    const budget = after as o.PodDisruptionBudget
    if (by === 'kube-apiserver') this.counted.set(key, { at, before: before as o.PodDisruptionBudget, after: budget })
    if (by.startsWith('kube-controller-manager')) this.status(budget, at)
  }

  private pod(was: o.Pod | undefined, is: o.Pod | undefined, at: Us): void {
    const pod = (is ?? was)!
    const ownerChanged = was?.metadata.ownerReferences?.length !== is?.metadata.ownerReferences?.length
    if (!was || !is || ownerChanged) this.podsAt.set(pod.metadata.namespace!, at)
    if (!was) this.note(pod)
    if (!was || was.metadata.deletionTimestamp) return
    if (is && !isEvicted(was) && isEvicted(is)) this.evicted(was, at)
    else if (isReady(was) && !isEvicted(was) && !(is && isReady(is) && !is.metadata.deletionTimestamp)) {
      this.losses = this.losses.filter((loss) => at - loss.at < BUDGET_LAG)
      this.losses.push({ at, pod: was })
    }
  }

  private note(pod: o.Pod): void {
    const budgets = budgetsFor(this.view, pod)
    if (budgets.length > 1) for (const { metadata } of budgets) this.overlapping.add(metadata.uid)
  }

  private evicted(pod: o.Pod, at: Us): void {
    if (isFinished(pod) || pod.status.phase === 'Pending') return
    const { name } = pod.metadata
    const [budget, ...others] = budgetsFor(this.view, pod)
    const violated = (why: string) => this.violations.add('pdb-violated', `${name} was evicted: ${why}`)
    if (others.length > 0) violated(`${others.length + 1} budgets select it`)
    if (!budget || others.length > 0) return
    const why = this.uncounted(budget, pod, at)
    // a budget may let go a pod that is not ready without counting it
    if (why && (isReady(pod) || !mayGoUnready(budget))) violated(`${budget.metadata.name} ${why}`)
    if (isReady(pod)) this.left(budget, pod, at)
  }

  /** What is wrong with how a budget counted the eviction of a pod. */
  private uncounted({ metadata, status }: o.PodDisruptionBudget, pod: o.Pod, at: Us): string | undefined {
    const counted = this.counted.get(`${metadata.namespace}/${metadata.name}`)
    if (!status.disruptedPods?.[pod.metadata.name] || counted?.at !== at) return 'does not count it'
    const { before, after } = counted
    if ((before.status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'was not worked out yet'
    const [had, has] = [before.status.disruptionsAllowed, after.status.disruptionsAllowed]
    return had < 1 || has !== had - 1 ? `allowed ${had} before and ${has} after` : undefined
  }

  private left(budget: o.PodDisruptionBudget, pod: o.Pod, at: Us): void {
    const own = allowanceOf(this.view, budget)
    if (!own || this.overlapping.has(budget.metadata.uid)) return
    const desired = this.quiet(this.scaledAt, budget, at, BUDGET_LAG)
      ? own.desired
      : Math.min(own.desired, budget.status.desiredHealthy)
    const left = podsOf(this.view, budget).filter((one) => one !== pod && isHealthy(one, budget)).length
    const lost = this.losses.filter((loss) => at - loss.at < BUDGET_LAG && isMeant(budget, loss.pod)).length
    if (left + lost < desired)
      this.violations.add(
        'pdb-violated',
        `${pod.metadata.name} was evicted: ${left} pods left and ${lost} just lost, ${budget.metadata.name} wants ${desired}`,
      )
  }

  /** What the controller writes follows from what the budget says and from what its pods' controllers want. */
  private status(budget: o.PodDisruptionBudget, at: Us): void {
    const { metadata, status } = budget
    const { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed } = status
    if (failedSync(budget) || status.observedGeneration !== metadata.generation) return
    const wrong = (what: string) => this.violations.add('pdb-status', `${metadata.name}: ${what}`)
    const allowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
    if (disruptionsAllowed !== allowed) wrong(`lets ${disruptionsAllowed} go and not ${allowed}`)
    const quiet = this.quiet(this.scaledAt, budget, at, BUDGET_LAG) && this.quiet(this.podsAt, budget, at, POD_LAG)
    const own = quiet ? allowanceOf(this.view, budget) : undefined
    if (own && (own.expected !== expectedPods || own.desired !== desiredHealthy))
      wrong(`expects ${expectedPods}, ${desiredHealthy} healthy, and not ${own.expected}, ${own.desired}`)
  }

  private quiet(last: ReadonlyMap<string, Us>, { metadata }: o.PodDisruptionBudget, at: Us, lag: Us): boolean {
    return at - (last.get(metadata.namespace!) ?? Number.NEGATIVE_INFINITY) >= lag
  }

  /** Budgets that do not know, when all is quiet, how many of their pods are well. */
  unsettled(): Finding[] {
    return this.view.list(PodDisruptionBudget).flatMap((budget): Finding[] => {
      const pods = podsOf(this.view, budget)
      if (pods.length === 0 || this.overlapping.has(budget.metadata.uid)) return []
      const own = allowanceOf(this.view, budget)
      if (!own || failedSync(budget)) return []
      const healthy = pods.filter((pod) => isHealthy(pod, budget)).length
      const { name } = budget.metadata
      return budget.status.currentHealthy === healthy
        ? []
        : [['pdb-status', `${name}: ${budget.status.currentHealthy} are healthy and not ${healthy}`]]
    })
  }
}

const replicasOf = (object: o.KubeObject | undefined): number | undefined =>
  (object as o.Deployment | undefined)?.spec.replicas

const isEvicted = (pod: o.Pod): boolean => condition(pod, 'DisruptionTarget')?.reason === 'EvictionByEvictionAPI'

const failedSync = (budget: o.PodDisruptionBudget): boolean =>
  condition(budget, 'DisruptionAllowed')?.reason === 'SyncFailed'

const mayGoUnready = ({ spec, status }: o.PodDisruptionBudget): boolean =>
  spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
  (status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0)
