import { ApiError } from '../../kube/errors.ts'
import { type Kind, ResourceQuota } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Us } from '../../world/time.ts'
import type { StrategyContext } from '../strategy.ts'
import {
  type Amounts,
  amountsOf,
  exceeding,
  excess,
  listOf,
  only,
  plus,
  sameAmounts,
  shownAmounts,
  withoutZeros,
} from './amounts.ts'
import { type Evaluator, evaluatorOf, scopesOf } from './evaluator.ts'

/** A write that is about to be stored. */
export interface QuotaRequest {
  readonly kind: Kind
  readonly object: o.KubeObject
  /** The stored version, for an update. */
  readonly before?: o.KubeObject
  readonly now: Us
}

/**
 * Charges a write to the quotas of its namespace: their `status.used` is raised before the object is stored. Fails with
 * Forbidden when one of them would be exceeded; then none is charged.
 * Follows k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go CheckRequest.
 */
export function chargeQuotas(request: QuotaRequest, context: StrategyContext): void {
  const { kind, object, before } = request
  const evaluator = evaluatorOf(kind)
  if (!evaluator || (before && !evaluator.checksUpdate?.(object, before))) return
  const { namespace } = object.metadata
  const matching = context
    .list(ResourceQuota)
    .filter((quota) => quota.metadata.namespace === namespace && matches(quota, evaluator, object))
  if (matching.length === 0) return
  for (const quota of matching) checkUsable(quota, evaluator, request)
  const charges = matching.map((quota) => ({ quota, used: usedAfter(quota, evaluator, request) }))
  for (const { quota, used } of charges)
    if (used) context.updateStatus(ResourceQuota, { ...quota, status: { ...quota.status, used: listOf(used) } })
}

/** By the limits the controller has taken up into the status: a quota it has not seen limits nothing. */
export function matches(quota: o.ResourceQuota, evaluator: Evaluator, object: o.KubeObject): boolean {
  if (evaluator.matching(Object.keys(quota.status.hard ?? {})).length === 0) return false
  return scopesOf(quota).every((scope) => evaluator.matchesScope(scope, object))
}

function checkUsable(quota: o.ResourceQuota, evaluator: Evaluator, request: QuotaRequest): void {
  const { hard, used } = quota.status
  const names = evaluator.matching(Object.keys(hard ?? {}))
  const why = evaluator.constraint?.(names, request.object)
  if (why) throw refused(request, `failed quota: ${quota.metadata.name}: ${why}`)
  if (names.some((name) => used?.[name] === undefined))
    throw refused(request, `status unknown for quota: ${quota.metadata.name}, resources: ${names.sort().join(',')}`)
}

/** What the quota's namespace uses once the write is stored; undefined when the write changes nothing. */
function usedAfter(quota: o.ResourceQuota, evaluator: Evaluator, request: QuotaRequest): Amounts | undefined {
  const hard = amountsOf(quota.status.hard)
  const used = amountsOf(quota.status.used)
  const asked = only(withoutZeros(delta(quota, evaluator, request)), hard)
  const after = plus(used, asked)
  const exceeded = exceeding(only(after, asked), hard)
  if (exceeded.size > 0) {
    const [requested, before, limited] = [asked, used, hard].map((amounts) => shownAmounts(only(amounts, exceeded)))
    const { name } = quota.metadata
    throw refused(request, `exceeded quota: ${name}, requested: ${requested}, used: ${before}, limited: ${limited}`)
  }
  return sameAmounts(after, used) ? undefined : after
}

/** What a write uses more than what is stored. */
function delta(quota: o.ResourceQuota, evaluator: Evaluator, { object, before, now }: QuotaRequest): Amounts {
  const usage = evaluator.usage(object, now)
  return before && matches(quota, evaluator, before) ? excess(usage, evaluator.usage(before, now)) : usage
}

const refused = ({ kind, object }: QuotaRequest, why: string): ApiError =>
  new ApiError(403, 'Forbidden', `${kind.id} "${object.metadata.name}" is forbidden: ${why}`)
