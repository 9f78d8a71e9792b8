import {
  saysDisruptionAllowed,
  withBudgetCondition,
  withDisruptionAllowed,
} from '../../apiserver/disruption-allowed.ts'
import { equal } from '../../journal/merge-patch.ts'
import { ApiError, isApiError } from '../../kube/errors.ts'
import { keyOf, Pod, PodDisruptionBudget } from '../../kube/kinds.ts'
import type { Index } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { selects } from '../../kube/selects.ts'
import type { Task } from '../../world/actor.ts'
import { ms } from '../../world/time.ts'
import { type ControllerContext, controller, primary, watching } from '../controller.ts'
import { labelTest } from '../pod-facts.ts'
import { disruptedPods, healthyPods } from './disrupted-pods.ts'
import { CountError, expectedPods } from './expected-pods.ts'

type Budget = o.PodDisruptionBudget

const budgetsByNamespace: Index<Budget> = {
  kind: PodDisruptionBudget,
  name: 'namespace',
  values: ({ metadata }) => [metadata.namespace ?? ''],
}

const podsByNamespace: Index<o.Pod> = {
  kind: Pod,
  name: 'namespace',
  values: ({ metadata }) => [metadata.namespace ?? ''],
}

/**
 * Keeps the status of PodDisruptionBudgets: how many of their pods there should be, how many are healthy, and how many may go.
 * Costs an index look-up a pod event while there are none. Follows pkg/controller/disruption/disruption.go (1.36).
 */
export const disruptionController = controller({
  name: 'disruption-controller',
  workers: 1,
  watches: [
    primary(PodDisruptionBudget),
    watching(Pod, (context) => ({
      added: (pod) => queueBudget(context, pod),
      updated: (_, pod) => queueBudget(context, pod),
      deleted: (pod) => queueBudget(context, pod),
    })),
  ],
  *reconcile(key, context) {
    const budget = context.kube.get(PodDisruptionBudget, key)
    if (!budget) return
    try {
      yield* bringUpToDate(budget, context)
    } catch (error) {
      if (isApiError(error, 'Conflict') || !(error instanceof ApiError || error instanceof CountError)) throw error
      yield* failSafe(budget, error, context)
    }
  },
})

/** Of several budgets that select the pod one is taken, with an Event that says so. */
function queueBudget({ kube, queue }: ControllerContext, pod: o.Pod): void {
  const { name, namespace = '', labels } = pod.metadata
  const budgets = kube.indexed(budgetsByNamespace, namespace).filter(({ spec }) => selects(spec.selector, labels))
  const [first] = budgets
  if (!first) return
  if (budgets.length > 1) {
    const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${first.metadata.name}" arbitrarily.`
    kube.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', message)
  }
  queue.add(keyOf(first))
}

/** Follows trySync. */
function* bringUpToDate(budget: Budget, context: ControllerContext): Task {
  const { kube, queue, now } = context
  const isMeant = labelTest((labels) => selects(budget.spec.selector, labels))
  const pods = kube.indexed(podsByNamespace, budget.metadata.namespace ?? '').filter(isMeant)
  if (pods.length === 0) kube.event(budget, 'Normal', 'NoPods', 'No matching pods found')
  const count = yield* counted(budget, pods, context)
  if (count.unmanaged.length > 0) kube.event(budget, 'Warning', 'UnmanagedPods', unmanagedMessage(budget))
  const going = disruptedPods(budget, pods, now)
  for (const pod of going.overdue) {
    const { namespace } = budget.metadata
    kube.event(
      pod,
      'Warning',
      'NotDeleted',
      `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`,
    )
  }
  yield* writeStatus(
    budget,
    { ...count, healthy: healthyPods(pods, going.disrupted, now), disrupted: going.disrupted },
    context,
  )
  if (going.nextAt !== undefined) queue.addAfter(keyOf(budget), going.nextAt - now + RECHECK)
}

/** A budget looked at again waits its turn in a second queue. */
const RECHECK = ms(5)

function* counted(budget: Budget, pods: readonly o.Pod[], { kube }: ControllerContext) {
  try {
    return yield* expectedPods(budget, pods, kube)
  } catch (error) {
    if (!(error instanceof CountError || error instanceof ApiError)) throw error
    const message = `Failed to calculate the number of expected pods: ${error.message}`
    kube.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
    throw error
  }
}

interface Counts {
  readonly expected: number
  readonly desired: number
  readonly healthy: number
  readonly disrupted: Readonly<Record<string, string>>
}

/** Follows updatePdbStatus: a budget without pods lets none go, whatever it says. */
function* writeStatus(budget: Budget, counts: Counts, { kube, now }: ControllerContext): Task {
  const { expected, desired, healthy, disrupted } = counts
  const { status, metadata } = budget
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  if (
    status.currentHealthy === healthy &&
    status.desiredHealthy === desired &&
    status.expectedPods === expected &&
    status.disruptionsAllowed === allowed &&
    equal(status.disruptedPods ?? {}, disrupted) &&
    saysDisruptionAllowed(budget)
  )
    return
  const made = {
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
    observedGeneration: metadata.generation,
    conditions: status.conditions,
  }
  yield* kube.updateStatus(PodDisruptionBudget, { ...budget, status: withDisruptionAllowed(made, now) })
}

/** Lets no pod go while it is not known how many may. */
function* failSafe(budget: Budget, { message }: Error, { kube, now }: ControllerContext): Task {
  const closed = { ...budget.status, disruptionsAllowed: 0 }
  const status = withBudgetCondition(closed, { status: 'False', reason: 'SyncFailed', message }, now)
  yield* kube.updateStatus(PodDisruptionBudget, { ...budget, status })
}

const unmanagedMessage = ({ spec }: Budget): string =>
  `Pods selected by this PodDisruptionBudget (selector: ${shown(spec.selector)}) were found ` +
  'to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. ' +
  'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'

/** As Go prints a selector with %v. */
function shown({ matchLabels = {}, matchExpressions = [] }: o.LabelSelector = {}): string {
  const labels = Object.entries(matchLabels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`)
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.map((e) => `${e},`).join('')}},}`
}
