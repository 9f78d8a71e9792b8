import type * as o from '../../kube/objects.ts'
import { formatQuantity, milliValueOf, parseQuantity, type Quantity } from '../../kube/quantity.ts'
import { podLimits, podRequests } from '../../scheduler/framework/pod-requests.ts'
import { type Amounts, amountsOf } from './amounts.ts'

/** Why a pod is not within a LimitRange; empty when it is. Follows plugin/pkg/admission/limitranger/admission.go. */
export function podBreaches({ spec }: o.LimitRange, pod: o.Pod): string[] {
  return spec.limits.flatMap((item) => {
    if (item.type === 'Container')
      return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
        breaches(item, amountsOf(resources?.requests), amountsOf(resources?.limits)),
      )
    if (item.type !== 'Pod') return []
    // a pod's overhead is not counted here
    const { overhead: _, ...bare } = pod.spec as o.PodSpec & { overhead?: unknown }
    return breaches(item, podRequests(bare as o.PodSpec), podLimits(bare as o.PodSpec))
  })
}

/** The same for what a claim asks of storage. */
export function claimBreaches({ spec }: o.LimitRange, claim: o.PersistentVolumeClaim): string[] {
  const requests = amountsOf(claim.spec.resources?.requests)
  return spec.limits
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...each(min, (name, bound) =>
        belowMin(bound, `minimum ${name} usage per ${type}`, requests.get(name), undefined),
      ),
      ...each(max, (name, bound) => requestAboveMax(bound, `maximum ${name} usage per ${type}`, requests.get(name))),
    ])
}

function breaches(item: o.LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  const { type, min, max, maxLimitRequestRatio: ratio } = item
  return [
    ...each(min, (name, bound) =>
      belowMin(bound, `minimum ${name} usage per ${type}`, requests.get(name), limits.get(name)),
    ),
    ...each(max, (name, bound) =>
      aboveMax(bound, `maximum ${name} usage per ${type}`, requests.get(name), limits.get(name)),
    ),
    ...each(ratio, (name, bound) =>
      aboveRatio(bound, `${name} max limit to request ratio per ${type}`, requests.get(name), limits.get(name)),
    ),
  ]
}

type Check = (name: string, bound: Quantity) => string | undefined

const each = (bounds: Record<string, string> | undefined, check: Check): string[] =>
  Object.entries(bounds ?? {}).flatMap(([name, text]) => check(name, parseQuantity(text)) ?? [])

function belowMin(bound: Quantity, what: string, request: Quantity | undefined, limit: Quantity | undefined) {
  const least = `${what} is ${formatQuantity(bound)}`
  if (!request) return `${least}.  No request is specified`
  if (milliValueOf(request) < milliValueOf(bound)) return `${least}, but request is ${formatQuantity(request)}`
  if (limit && milliValueOf(limit) < milliValueOf(bound)) return `${least}, but limit is ${formatQuantity(limit)}`
  return undefined
}

function aboveMax(bound: Quantity, what: string, request: Quantity | undefined, limit: Quantity | undefined) {
  const most = `${what} is ${formatQuantity(bound)}`
  if (!limit) return `${most}.  No limit is specified`
  if (milliValueOf(limit) > milliValueOf(bound)) return `${most}, but limit is ${formatQuantity(limit)}`
  if (request && milliValueOf(request) > milliValueOf(bound))
    return `${most}, but request is ${formatQuantity(request)}`
  return undefined
}

function requestAboveMax(bound: Quantity, what: string, request: Quantity | undefined): string | undefined {
  const most = `${what} is ${formatQuantity(bound)}`
  if (!request) return `${most}.  No request is specified`
  return milliValueOf(request) > milliValueOf(bound) ? `${most}, but request is ${formatQuantity(request)}` : undefined
}

function aboveRatio(bound: Quantity, what: string, request: Quantity | undefined, limit: Quantity | undefined) {
  const most = `${what} is ${formatQuantity(bound)}`
  if (!request || request.nanos === 0n) return `${most}, but no request is specified or request is 0`
  if (!limit || limit.nanos === 0n) return `${most}, but no limit is specified or limit is 0`
  const ratio = milliValueOf(limit) / milliValueOf(request)
  return ratio * 1000 > milliValueOf(bound) ? `${most}, but provided ratio is ${sixDigits(ratio)}` : undefined
}

/** As Go's %f, which rounds what lies in the middle to the even digit. Only multiples of 1/128 do. */
function sixDigits(n: number): string {
  const tie = Number.isInteger(n * 128) && !Number.isInteger(n * 64)
  return (tie ? (2 * Math.round(n * 5e5)) / 1e6 : n).toFixed(6)
}
