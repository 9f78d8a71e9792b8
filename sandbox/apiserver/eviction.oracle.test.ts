import fc from 'fast-check'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import { budget, mostly, soon } from '../controllers/oracle/budgets.ts'
import { ApiError } from '../kube/errors.ts'
import { Pod } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { defined, maybe } from '../kube/oracle/pods.ts'
import { toRfc3339 } from '../world/time.ts'
import { evictPod } from './eviction.ts'
import type { Store } from './store.ts'

const REACHED = { 'eviction.go: Create, checkAndDecrement': /pod\/storage\/eviction\.go:/ }

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

const stamp = soon.map(toRfc3339)
const condition = fc
  .record({
    type: fc.constantFrom('Ready', 'DisruptionTarget', 'PodScheduled'),
    status: fc.constantFrom('True', 'False'),
    reason: maybe(fc.constantFrom('EvictionByEvictionAPI', 'PreemptionByScheduler')),
    message: maybe(fc.constantFrom('Eviction API: evicting', 'other')),
    lastTransitionTime: maybe(stamp),
  })
  .map((made) => defined(made) as unknown as o.Condition)

const pod = fc
  .record({
    phase: mostly('Running', 'Pending', 'Succeeded', 'Failed', 'Unknown'),
    deletionTimestamp: mostly<string | undefined>(undefined, toRfc3339(0)),
    app: mostly('web', 'db'),
    conditions: fc.uniqueArray(condition, { selector: ({ type }) => type, maxLength: 3 }),
  })
  .map(({ phase, app, conditions, deletionTimestamp }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: defined({
      ...{ name: 'p0', namespace: 'default', uid: 'u0', resourceVersion: '7', labels: { app, tier: 'gpu' } },
      deletionTimestamp,
    }),
    spec: { containers: [{ name: 'main', image: 'app:1' }] },
    status: { phase, conditions },
  })) as unknown as fc.Arbitrary<o.Pod>

const budgets = fc
  .array(budget, { maxLength: 2 })
  .map((all) => all.map((made, i) => ({ ...made, metadata: { ...made.metadata, name: `web-${i}` } })))

const options = fc
  .record({
    dryRun: mostly(false, true),
    gracePeriodSeconds: maybe(fc.integer({ min: 0, max: 30 })),
    uid: mostly<string | undefined>(undefined, 'u0', 'other'),
    resourceVersion: mostly<string | undefined>(undefined, '7', '6'),
  })
  .map(defined)

interface Case {
  readonly pod: o.Pod
  readonly budgets: readonly o.PodDisruptionBudget[]
  readonly options: { dryRun: boolean; gracePeriodSeconds?: number; uid?: string; resourceVersion?: string }
  readonly now: number
}

function evicted(item: Case) {
  let { pod: held } = item
  let written: unknown = null
  let deleted: unknown = null
  const store: Partial<Record<keyof Store, unknown>> = {
    get: () => held,
    list: () => item.budgets,
    updateStatus(kind: unknown, object: o.KubeObject) {
      if (kind !== Pod) written = (object as o.PodDisruptionBudget).status
      else held = { ...(object as o.Pod), metadata: { ...object.metadata, resourceVersion: '8' } }
      return object === held ? object : kind === Pod ? held : object
    },
    delete(_kind: unknown, _key: unknown, _by: unknown, { gracePeriodSeconds }: { gracePeriodSeconds?: number }) {
      deleted = { conditions: held.status.conditions, gracePeriodSeconds }
    },
  }
  try {
    evictPod(store as unknown as Store, 'default/p0', item.options, { by: 'oracle', now: item.now })
    return { budget: written, deleted }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { code, message, details } = error
    return { budget: written, deleted, refused: { code, message, ...details } }
  }
}

/** A budget whose pods were let go faster than they went. */
const crowded = (count: number): Case => {
  const [at] = fc.sample(
    budget.map((made) => made.metadata),
    { numRuns: 1, seed: 1 },
  )
  const disruptedPods = Object.fromEntries(Array.from({ length: count }, (_, i) => [`q${i}`, toRfc3339(0)]))
  const status = { disruptionsAllowed: 2, currentHealthy: 3, desiredHealthy: 1, expectedPods: 3, observedGeneration: 9 }
  return {
    pod: {
      ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
      metadata: { name: 'p0', namespace: 'default', uid: 'u0', resourceVersion: '7', labels: { app: 'web' } },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    } as unknown as o.Pod,
    budgets: [
      {
        ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: { selector: {} } },
        metadata: { ...at!, namespace: 'default', name: 'web-0' },
        status: { ...status, disruptedPods },
      } as unknown as o.PodDisruptionBudget,
    ],
    options: { dryRun: false },
    now: 0,
  }
}

compare('evictions', within, () =>
  judge({
    area: 'evictions: which pods need a budget, what it allows, messages, retry-after, what is written',
    op: 'eviction',
    cases: fc.record({ pod, budgets, options, now: soon }) as fc.Arbitrary<Case>,
    edges: [crowded(2000), crowded(2001)],
    runs: 10_000,
    ours: (item) => withoutNulls(evicted(item), item),
    theirs: withoutNulls as (answer: never, item: Case) => unknown,
  }),
)

/** Upstream writes out times that are not set; the words of a conflict in a dry run are those of the store, with the key there. */
function withoutNulls(answer: Record<string, unknown>, { options: { dryRun } }: Case): unknown {
  const deleted = answer['deleted'] as { conditions: object[] | null } | null
  const conditions = (deleted?.conditions ?? []).map((made) =>
    Object.fromEntries(Object.entries(made).filter(([, value]) => value !== null)),
  )
  const refused = answer['refused'] as { code: number } | undefined
  return {
    ...answer,
    deleted: deleted && { ...deleted, conditions },
    refused: dryRun && refused?.code === 409 ? { code: 409 } : refused,
  }
}
