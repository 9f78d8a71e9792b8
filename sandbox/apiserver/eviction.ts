import { ApiError, isApiError } from '../kube/errors.ts'
import { keyOf, Pod, PodDisruptionBudget } from '../kube/kinds.ts'
import type { EvictOptions } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { condition, isFinished, isReady } from '../kube/pods.ts'
import { selects } from '../kube/selects.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import { checkDeletePreconditions } from './deletion.ts'
import { withDisruptionAllowed } from './disruption-allowed.ts'
import type { Store } from './store.ts'

interface Request {
  readonly by: string
  readonly now: Us
}

/**
 * Deletes a pod as far as its disruption budget allows, and counts it there. Pods that run nothing yet or any more need no
 * budget. Follows pkg/registry/core/pod/storage/eviction.go; nothing comes between the steps here, so nothing is retried.
 */
export function evictPod(store: Store, key: string, options: EvictOptions, request: Request): void {
  const pod = store.get(Pod, key)
  const unready = needsNoBudget(pod) ? undefined : takeFromBudget(store, pod, options, request)
  // one that goes because it is not ready must be as it was seen, whatever version was asked for
  const checked = unready ? { ...options, resourceVersion: pod.metadata.resourceVersion } : options
  try {
    checkDeletePreconditions(Pod, pod.metadata, checked)
  } catch (error) {
    if (unready && !options.resourceVersion && isApiError(error, 'Conflict')) throw stillProcessed(unready)
    throw error
  }
  if (!options.dryRun) markAndDelete(store, key, checked, request)
}

const needsNoBudget = (pod: o.Pod): boolean =>
  isFinished(pod) || pod.status.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined

/** Gives the budget that lets the pod go because it is not ready, in which it does not count. */
function takeFromBudget(
  store: Store,
  pod: o.Pod,
  options: EvictOptions,
  { now }: Request,
): o.PodDisruptionBudget | undefined {
  const budgets = store
    .list(PodDisruptionBudget)
    .filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.metadata.namespace && selects(spec.selector, pod.metadata.labels),
    )
  if (budgets.length > 1) throw new ApiError(500, 'InternalError', SEVERAL)
  const [budget] = budgets
  if (!budget) return undefined
  if (!isReady(pod) && mayGoUnready(budget)) return budget
  checkAllowed(budget)
  if (options.dryRun) return undefined
  const { disruptionsAllowed, disruptedPods } = budget.status
  const counted = {
    ...budget.status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name]: toRfc3339(now) },
  }
  const status = disruptionsAllowed === 1 ? withDisruptionAllowed(counted, now) : counted
  store.updateStatus(PodDisruptionBudget, { ...budget, status }, 'kube-apiserver')
  return undefined
}

const SEVERAL = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'

/** Pods that are not ready are not counted: they may go while enough others are, or always. */
const mayGoUnready = ({ spec, status }: o.PodDisruptionBudget): boolean =>
  spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
  (status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0)

const DISRUPTED_MAX = 2000

// follows checkAndDecrement
function checkAllowed(budget: o.PodDisruptionBudget): void {
  const { metadata, status } = budget
  const { name } = metadata
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(budget)
  if (status.disruptionsAllowed < 0) throw forbidden(name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > DISRUPTED_MAX)
    throw forbidden(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (status.disruptionsAllowed === 0) throw tooManyRequests(`The disruption budget ${name} ${whyNone(status)}`)
}

function whyNone(status: o.PodDisruptionBudget['status']): string {
  const { currentHealthy, desiredHealthy } = status
  const allowed = condition({ status }, 'DisruptionAllowed')
  const message = allowed?.status === 'False' ? allowed.message : undefined
  if (message && allowed?.reason === 'SyncFailed')
    return `does not allow evicting pods currently because it failed sync: ${message}`
  if (currentHealthy <= desiredHealthy)
    return `needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  return message
    ? `does not allow evicting pods currently (${allowed!.reason}): ${message}`
    : 'does not allow evicting pods currently'
}

const stillProcessed = ({ metadata: { name } }: o.PodDisruptionBudget): ApiError =>
  tooManyRequests(`The disruption budget ${name} is still being processed by the server.`, 10)

function tooManyRequests(why: string, retryAfterSeconds?: number): ApiError {
  const message = "Cannot evict pod as it would violate the pod's disruption budget."
  const causes = [{ reason: 'DisruptionBudget', message: why }]
  return new ApiError(429, 'TooManyRequests', message, { causes, ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })
}

const forbidden = (name: string, why: string): ApiError =>
  new ApiError(403, 'Forbidden', `poddisruptionbudget.policy "${name}" is forbidden: ${why}`)

// follows addConditionAndDeletePod
function markAndDelete(store: Store, key: string, options: EvictOptions, { by, now }: Request): void {
  const pod = store.get(Pod, key)
  const evicted = marked(pod, now)
  const stored = evicted === pod ? pod : store.updateStatus(Pod, evicted, 'kube-apiserver')
  const { uid, gracePeriodSeconds } = options
  const resourceVersion = options.resourceVersion && stored.metadata.resourceVersion
  store.delete(Pod, keyOf(pod), by, { uid, gracePeriodSeconds, resourceVersion })
}

/** The pod with the condition that says who sends it away. */
function marked(pod: o.Pod, now: Us): o.Pod {
  const before = condition(pod, 'DisruptionTarget')
  const made: o.Condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : toRfc3339(now),
  }
  if (before && before.status === made.status && before.reason === made.reason && before.message === made.message)
    return pod
  const conditions = pod.status.conditions ?? []
  const kept = before ? conditions.map((c) => (c === before ? made : c)) : [...conditions, made]
  return { ...pod, status: { ...pod.status, conditions: kept } }
}
