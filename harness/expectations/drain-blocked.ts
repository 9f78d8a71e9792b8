import { keyOf, Pod, PodDisruptionBudget } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { selects } from '../../sandbox/kube/selects.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'
import { DRAIN_PROCESS } from '../faults/drain-node.ts'
import type { ObjectsView } from '../objects-view.ts'
import { isOf } from '../subject.ts'
import { type Broken, type CheckContext, check, type Evidence } from './check.ts'

/** An eviction that was refused, again and again. */
interface Refusal {
  readonly since: Us
  readonly text: string
  times: number
}

const EVICTING = /^error when evicting pods\/"([^"]+)" -n "([^"]+)"(?: \(will retry after \S+\))?: (.*)$/
const FAILED = /^error: unable to drain node "([^"]+)" due to error: (.*), continuing command\.\.\.$/

/** `kubectl drain` gave up. Looks at what it prints. */
export const drainBlocked = check<Record<string, never>>({
  name: 'drainBlocked',
  describe: () => 'a drain that ends with pods still on the node',
  start(_, context) {
    const refusals = new Map<string, Refusal>()
    let [lines, begun, budgets] = [0, 0, '']
    let summary: string | undefined
    let broken: Broken | undefined
    return {
      record(record) {
        if (record.type !== 'note' || record.by !== DRAIN_PROCESS) return
        if (lines++ === 0) begun = record.at
        const refused = EVICTING.exec(record.text)
        if (refused) {
          const key = `${refused[2]}/${refused[1]}`
          const before = refusals.get(key)
          if (before) before.times++
          else refusals.set(key, { since: record.at, text: refused[3]!, times: 1 })
          budgets = budgetsText(context.view, key) || budgets
        }
        if (/^node\/\S+ drained$/.test(record.text))
          summary = `${record.text} in ${formatDuration(record.at - begun)}${waited(refusals)}`
        const failed = FAILED.exec(record.text)
        if (failed) broken ??= brokenOf(failed, { refusals, budgets, at: record.at, begun }, context)
      },
      result: () => ({ samples: lines, broken, summary }),
    }
  },
})

const waited = (refusals: ReadonlyMap<string, Refusal>): string => {
  const times = [...refusals.values()].reduce((sum, refusal) => sum + refusal.times, 0)
  return times === 0 ? '' : `, after ${times} evictions that a budget did not allow`
}

interface Seen {
  readonly refusals: ReadonlyMap<string, Refusal>
  readonly budgets: string
  readonly at: Us
  readonly begun: Us
}

function brokenOf(
  [, node, error]: RegExpExecArray,
  { refusals, budgets, at, begun }: Seen,
  context: CheckContext,
): Broken {
  const took = formatDuration(seconds(Math.floor((at - begun) / 1e6)))
  const how = error!.includes('global timeout reached')
    ? 'drain-blocked'
    : /to terminate: context deadline exceeded/.test(error!)
      ? 'drain-slow'
      : 'drain-refused'
  const last: Evidence = { at, about: `Node ${node}`, text: `error: unable to drain node "${node}": ${error}` }
  if (how !== 'drain-blocked')
    return {
      at,
      cause: how,
      what:
        how === 'drain-slow'
          ? `${node} was not drained within ${took}: its pods take longer to end`
          : `kubectl refuses to drain ${node}`,
      evidence: [last],
    }
  const stuck = [...refusals].filter(([key]) => error!.includes(`pods/"${key.split('/')[1]}"`))
  const mine = stuck.some(([key]) => {
    const pod = context.view.get(Pod, key)
    return pod !== undefined && isOf(context.subject, pod)
  })
  return {
    at,
    cause: mine ? 'drain-blocked' : 'drain-blocked-by-others',
    what: `${node} was not drained within ${took}: no budget allows to evict ${stuck.map(([key]) => key.split('/')[1]).join(', ')}`,
    evidence: [
      ...stuck.slice(0, 3).map(([key, { since, text, times }]) => ({
        at: since,
        about: `Pod ${key}`,
        text: `429 TooManyRequests: ${text} (${times} times, every 5 s)`,
      })),
      ...(budgets ? [{ at, about: budgets.split(': ')[0]!, text: budgets.split(': ')[1]! }] : []),
      last,
    ],
  }
}

/** The budgets over a pod as they stand. */
function budgetsText(view: ObjectsView, podKey: string): string {
  const pod = view.get(Pod, podKey)
  const budget = view
    .list(PodDisruptionBudget)
    .find(
      (one: o.PodDisruptionBudget) =>
        one.metadata.namespace === pod?.metadata.namespace && selects(one.spec.selector, pod?.metadata.labels),
    )
  if (!budget) return ''
  const { currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods } = budget.status
  return `PodDisruptionBudget ${keyOf(budget)}: disruptionsAllowed ${disruptionsAllowed}, currentHealthy ${currentHealthy}, desiredHealthy ${desiredHealthy}, expectedPods ${expectedPods}`
}
