import {
  type Amounts,
  accumulate,
  amountsOf,
  listOf,
  only,
  sameAmounts,
  ZERO,
} from '../../apiserver/admission/amounts.ts'
import { type Evaluator, evaluatorOf, scopesOf } from '../../apiserver/admission/evaluator.ts'
import { keyOf, ResourceQuota } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Quantity } from '../../kube/quantity.ts'
import { minutes, type Us } from '../../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from '../controller.ts'
import { countedKinds } from './counted-kinds.ts'

/** How often every quota is counted anew: upstream's default of `--resource-quota-sync-period`. */
const RESYNC: Us = minutes(5)

const quotasByNamespace: Index<o.ResourceQuota> = {
  kind: ResourceQuota,
  name: 'namespace',
  values: ({ metadata }) => [metadata.namespace ?? ''],
}

/**
 * Takes the limits of ResourceQuotas up into their status and counts what is used: at first, when something counted goes away, and
 * every 5 minutes. Kinds are watched once a quota limits them: without quotas nothing is. One instance a running control plane.
 * Follows pkg/controller/resourcequota/resource_quota_controller.go and resource_quota_monitor.go (1.36).
 */
export function resourceQuotaController(): ControllerSpec {
  const watched = new Set<string>()
  return controller({
    name: 'resourcequota-controller',
    workers: 5,
    watches: [
      watching(ResourceQuota, (context) => {
        const resync = resyncing(context)
        const queue = (quota: o.ResourceQuota) => {
          watchKinds(context, quota, watched)
          resync()
          context.queue.add(keyOf(quota))
        }
        return {
          added: queue,
          updated: (before, quota) => {
            if (!sameAmounts(amountsOf(before.spec.hard), amountsOf(quota.spec.hard))) queue(quota)
          },
          deleted: (quota) => context.queue.add(keyOf(quota)),
        }
      }),
    ],
    *reconcile(key, { kube, now }) {
      const quota = kube.get(ResourceQuota, key)
      if (!quota) return
      const hard = amountsOf(quota.spec.hard)
      const known = amountsOf(quota.status.used)
      const used = only(new Map([...known, ...usageOf(quota, kube, now)]), hard)
      const isNew = !quota.status.hard || !quota.status.used || !sameAmounts(hard, amountsOf(quota.status.hard))
      if (!isNew && sameAmounts(used, known)) return
      yield* kube.updateStatus(ResourceQuota, { ...quota, status: { hard: listOf(hard), used: listOf(used) } })
    },
  })
}

/** Counts all quotas every 5 minutes from the controller's start, while there are any. */
function resyncing({ kube, queue, world }: ControllerContext): () => void {
  const startedAt = world.clock.now
  let waiting = false
  const schedule = () => {
    if (waiting) return
    waiting = true
    const rounds = Math.floor((world.clock.now - startedAt) / RESYNC) + 1
    world.clock.at(startedAt + rounds * RESYNC, () => {
      waiting = false
      const quotas = kube.list(ResourceQuota)
      for (const quota of quotas) queue.add(keyOf(quota))
      if (quotas.length > 0) schedule()
    })
  }
  return schedule
}

/** Watches what the quota limits and nobody watches yet: quotas are counted anew when an object frees something. */
function watchKinds(context: ControllerContext, quota: o.ResourceQuota, watched: Set<string>): void {
  for (const kind of countedKinds(Object.keys(quota.spec.hard ?? {}))) {
    if (watched.has(kind.id)) continue
    watched.add(kind.id)
    const evaluator = evaluatorOf(kind)!
    const freed = (object: o.KubeObject) => queueQuotas(context, evaluator, object)
    context.kube.watch(kind, {
      updated: (before, after) => {
        if (evaluator.frees?.(before, after, context.now)) freed(after)
      },
      deleted: freed,
    })
  }
}

/** Follows replenishQuota. */
function queueQuotas({ kube, queue }: ControllerContext, evaluator: Evaluator, { metadata }: o.KubeObject): void {
  for (const quota of kube.indexed(quotasByNamespace, metadata.namespace ?? ''))
    if (evaluator.matching(Object.keys(quota.status.hard ?? {})).length > 0) queue.add(keyOf(quota))
}

/** What the objects in the cache use of what the quota limits. Follows k8s.io/apiserver/pkg/quota/v1/resources.go CalculateUsage. */
function usageOf(quota: o.ResourceQuota, kube: Kube, now: Us): Amounts {
  const names = Object.keys(quota.spec.hard ?? {})
  const scopes = scopesOf(quota)
  const used = new Map<string, Quantity>()
  for (const kind of countedKinds(names)) {
    const evaluator = evaluatorOf(kind)!
    const zeros = new Map(evaluator.matching(names).map((name) => [name, ZERO]))
    accumulate(used, zeros)
    for (const object of kube.list(kind, { namespace: quota.metadata.namespace ?? '' }))
      if (scopes.every((scope) => evaluator.matchesScope(scope, object))) accumulate(used, evaluator.usage(object, now))
  }
  return used
}
