import { LimitRange, Pod, PriorityClass, ResourceQuota } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { StrategyContext } from '../strategy.ts'
import { checkLimits } from './limit-ranger.ts'
import { checkGlobalDefault } from './priority.ts'
import { chargeQuotas, type QuotaRequest } from './quota.ts'

/**
 * The admission plugins that look at a write once it is valid, in their order: LimitRanger, Priority, ResourceQuota. Throws Forbidden.
 * Costs nothing while no LimitRange and no ResourceQuota exists. Follows pkg/kubeapiserver/options/plugins.go AllOrderedPlugins.
 */
export function validateAdmission(request: QuotaRequest, context: StrategyContext): void {
  if (request.kind.id === PriorityClass.id)
    checkGlobalDefault(request.object as o.PriorityClass, request.before as o.PriorityClass | undefined, context)
  if (!request.kind.namespaced) return
  const updates = request.before !== undefined
  const leaving = request.before?.metadata.deletionTimestamp !== undefined
  if (context.has(LimitRange) && !leaving && !(updates && request.kind.id === Pod.id))
    checkLimits(request.kind, request.object, context)
  if (context.has(ResourceQuota)) chargeQuotas(request, context)
}
