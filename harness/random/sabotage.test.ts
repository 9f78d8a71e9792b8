import { describe, expect, it } from 'vitest'
import type { Store } from '../../sandbox/apiserver/store.ts'
import { Pod, PodDisruptionBudget, ResourceQuota } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { runDrill } from './drill.ts'
import { randomPlan } from './generate/faults.ts'
import { randomPlatform } from './generate/platform.ts'
import { isMeant } from './invariants/expected.ts'

/** Within so many platforms a broken API server or controller is found out. */
const PLATFORMS = 50

type Status = o.PodDisruptionBudget['status']

/** Rewrites the status of budgets as one process writes it. */
const statusBy =
  (process: string, rewrite: (budget: o.PodDisruptionBudget, store: Store) => Partial<Status>) =>
  (store: Store): void => {
    const write = store.updateStatus.bind(store)
    store.updateStatus = (kind, object, by) => {
      if (kind.id !== PodDisruptionBudget.id || !by.startsWith(process)) return write(kind, object, by)
      const budget = object as unknown as o.PodDisruptionBudget
      const status = { ...budget.status, ...rewrite(budget, store) }
      return write(kind, { ...budget, status } as unknown as typeof object, by)
    }
  }

/** What the eviction subresource is told of budgets. */
const budgetsSeen =
  (seen: (budgets: readonly o.PodDisruptionBudget[]) => readonly o.PodDisruptionBudget[]) =>
  (store: Store): void => {
    const [evict, list] = [store.evict.bind(store), store.list.bind(store)]
    store.evict = (key, options, by) => {
      store.list = ((kind, ...rest) =>
        kind.id === PodDisruptionBudget.id ? seen(list(PodDisruptionBudget)) : list(kind, ...rest)) as Store['list']
      try {
        evict(key, options, by)
      } finally {
        store.list = list
      }
    }
  }

const meantBy = (budget: o.PodDisruptionBudget, store: Store): number =>
  store.list(Pod).filter((pod) => isMeant(budget, pod)).length

const sabotages: readonly [what: string, tamper: (store: Store) => void][] = [
  ['evictions ask no budget', budgetsSeen(() => [])],
  [
    'evictions trust a status that was not worked out yet',
    budgetsSeen((budgets) =>
      budgets.map((one) => ({
        ...one,
        status: { ...one.status, observedGeneration: one.metadata.generation! },
      })),
    ),
  ],
  [
    'an eviction is not taken off what a budget allows',
    statusBy('kube-apiserver', ({ status }) => ({ disruptionsAllowed: status.disruptionsAllowed + 1 })),
  ],
  ['an eviction is not noted', statusBy('kube-apiserver', () => ({ disruptedPods: {} }))],
  [
    'pods that are there count as those that should be',
    statusBy('kube-controller-manager', (budget, store) =>
      budget.spec.maxUnavailable === undefined ? {} : { expectedPods: meantBy(budget, store) },
    ),
  ],
  [
    'a budget without pods that should be lets all go',
    statusBy('kube-controller-manager', ({ status }) => ({
      disruptionsAllowed: Math.max(0, status.currentHealthy - status.desiredHealthy),
    })),
  ],
  [
    'one pod more is healthy than is',
    statusBy('kube-controller-manager', ({ status }) => {
      const currentHealthy = status.currentHealthy + 1
      const disruptionsAllowed = status.expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - status.desiredHealthy)
      return { currentHealthy, disruptionsAllowed }
    }),
  ],
]

/** The API server lets pods in and does not write down that it did. */
function uncounted(store: Store): void {
  const write = store.updateStatus.bind(store)
  store.updateStatus = (kind, object, by) =>
    kind.id === ResourceQuota.id && by === 'kube-apiserver'
      ? store.get(kind, `${object.metadata.namespace}/${object.metadata.name}`)
      : write(kind, object, by)
}

it('the rule of quotas bites where pods are let in uncounted', { timeout: 120_000 }, async () => {
  for (let platform = 1; platform <= PLATFORMS; platform++) {
    const { violations } = await runDrill(randomPlatform(platform), randomPlan(1, platform), 1, { tamper: uncounted })
    if (violations.some(({ invariant }) => invariant.startsWith('quota-'))) return
  }
  expect.unreachable(`${PLATFORMS} platforms, and nothing was found`)
})

describe('the rule of budgets bites', () => {
  it.each(sabotages)('where %s', { timeout: 120_000 }, async (_, tamper) => {
    for (let platform = 1; platform <= PLATFORMS; platform++) {
      const { violations } = await runDrill(randomPlatform(platform), randomPlan(1, platform), 1, { tamper })
      if (violations.some(({ invariant }) => invariant.startsWith('pdb-'))) return
    }
    expect.unreachable(`${PLATFORMS} platforms, and nothing was found`)
  })
})
