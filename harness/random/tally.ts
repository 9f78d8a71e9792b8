import type { Store } from '../../sandbox/apiserver/store.ts'
import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { ApiError } from '../../sandbox/kube/errors.ts'
import { Node, Pod, PodDisruptionBudget } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { selects } from '../../sandbox/kube/selects.ts'
import type { Violations } from './violation.ts'

/** What was tried on the pods of a drill, in numbers. */
export interface Tally {
  evictionsTried: number
  evictionsGranted: number
  /** By a budget that lets none go now. */
  evictionsRefused: number
  /** By the API server because several budgets meant the pod. */
  evictionsOverlapping: number
  /** Granted ones of Ready pods, and of those the ones a budget counted. */
  evictionsOfReady: number
  evictionsCounted: number
  preemptions: number
  drains: number
  /** Nodes a node autoscaler took away. */
  nodesRemoved: number
}

export const emptyTally = (): Tally => ({
  ...{ evictionsTried: 0, evictionsGranted: 0, evictionsRefused: 0, evictionsOverlapping: 0 },
  ...{ evictionsOfReady: 0, evictionsCounted: 0, preemptions: 0, drains: 0, nodesRemoved: 0 },
})

/** Counts what the journal tells. */
export function tallyRecord(tally: Tally, record: JournalRecord): void {
  if (record.type === 'event' && record.reason === 'Preempted') tally.preemptions++
  if (record.type !== 'object' || record.verb !== 'DELETED' || record.kind !== Node.id) return
  if (record.by === 'cluster-autoscaler') tally.nodesRemoved++
}

/** Counts evictions as they are asked for, and holds that none is refused without a reason. */
export function watchEvictions(store: Store, tally: Tally, violations: Violations): void {
  const evict = store.evict.bind(store)
  store.evict = (key, options, by) => {
    const pod = store.list(Pod).find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key)
    const budgets = pod ? budgetsOf(store, pod) : []
    const ready = pod !== undefined && isReady(pod) && !pod.metadata.deletionTimestamp
    tally.evictionsTried++
    try {
      evict(key, options, by)
    } catch (error) {
      if (error instanceof ApiError) refused(error, { key, budgets }, tally, violations)
      throw error
    }
    tally.evictionsGranted++
    if (ready) tally.evictionsOfReady++
    if (ready && budgets.length > 0) tally.evictionsCounted++
  }
}

const budgetsOf = (store: Store, { metadata }: o.Pod): o.PodDisruptionBudget[] =>
  store
    .list(PodDisruptionBudget)
    .filter((one) => one.metadata.namespace === metadata.namespace && selects(one.spec.selector, metadata.labels))

function refused(
  { code, message }: ApiError,
  { key, budgets }: { key: string; budgets: readonly o.PodDisruptionBudget[] },
  tally: Tally,
  violations: Violations,
): void {
  if (code === 500) tally.evictionsOverlapping++
  if (code === 429) tally.evictionsRefused++
  const allows = ({ metadata, status }: o.PodDisruptionBudget) =>
    status.disruptionsAllowed > 0 && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  if ((code === 500 && budgets.length < 2) || (code === 429 && (budgets.length !== 1 || allows(budgets[0]!))))
    violations.add('eviction-refused', `${key}: ${message} (${budgets.length} budgets)`)
}
