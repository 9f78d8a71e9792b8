import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { limitRange, limitRangeUpdate } from '../validation/limit-range.ts'
import * as validation from '../validation/policy.ts'
import { resourceQuota, resourceQuotaStatus, resourceQuotaUpdate } from '../validation/quota.ts'
import { canonicalQuantities, each, fill, within } from './fill.ts'

/** Follows pkg/registry/policy/poddisruptionbudget/strategy.go. */
export const disruptionBudgetStrategy: Strategy<o.PodDisruptionBudget> = {
  hasStatus: true,
  hasGeneration: true,
  default: (budget) => fill(budget, { spec: {} }),
  prepareForCreate: (budget) => ({ ...budget, status: NO_DISRUPTION }),
  validate: validation.disruptionBudget,
  validateUpdate: validation.disruptionBudgetUpdate,
  validateStatusUpdate: validation.disruptionBudgetStatus,
  raisesGeneration: (budget, before) => !equal(budget.spec, before.spec),
}

const NO_DISRUPTION = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }

/** Follows pkg/registry/core/resourcequota/strategy.go and SetDefaults_ResourceList. */
export const resourceQuotaStrategy: Strategy<o.ResourceQuota> = {
  hasStatus: true,
  hasGeneration: false,
  default: (quota) => within(fill(quota, { spec: {} }), 'spec', (spec) => within(spec, 'hard', canonicalQuantities)),
  prepareForCreate: (quota) => ({ ...quota, status: {} }),
  validate: resourceQuota,
  validateUpdate: resourceQuotaUpdate,
  validateStatusUpdate: resourceQuotaStatus,
}

/** Follows pkg/registry/core/limitrange/strategy.go and pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem. */
export const limitRangeStrategy: Strategy<o.LimitRange> = {
  hasStatus: false,
  hasGeneration: false,
  default: (range) => within(range, 'spec', (spec) => within(spec, 'limits', (limits) => each(limits, defaultItem))),
  validate: limitRange,
  validateUpdate: limitRangeUpdate,
}

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function defaultItem(given: o.LimitRangeItem): o.LimitRangeItem {
  let item = given
  for (const list of LISTS) item = within(item, list, canonicalQuantities)
  if (item.type !== 'Container') return item
  // what is left out follows from the nearest amount that is given: the greatest, the usual, the least
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return filledList(filledList(item, 'default', limits), 'defaultRequest', requests)
}

const filledList = (item: o.LimitRangeItem, list: 'default' | 'defaultRequest', amounts: Record<string, string>) =>
  Object.keys(amounts).length === Object.keys(item[list] ?? {}).length ? item : { ...item, [list]: amounts }
