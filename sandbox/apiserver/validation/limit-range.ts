import type * as o from '../../kube/objects.ts'
import { compareQuantities, milliValueOf, parseQuantity } from '../../kube/quantity.ts'
import { type Causes, duplicate, forbidden, invalids, invalidValue, required } from './field.ts'
import { objectMeta, objectMetaUpdate } from './meta.ts'
import { dns1123Subdomain, qualifiedName } from './names.ts'
import { anyResourceName, containerResourceName, isOvercommittable } from './resources.ts'

/** Follows pkg/apis/core/validation/validation.go ValidateLimitRange. */
export const limitRange = ({ metadata, spec }: o.LimitRange): Causes => [
  ...objectMeta(metadata, dns1123Subdomain),
  ...limits(spec?.limits ?? []),
]

export const limitRangeUpdate = (object: o.LimitRange, before: o.LimitRange): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...limits(object.spec?.limits ?? []),
]

const TYPES: readonly string[] = ['Pod', 'Container', 'PersistentVolumeClaim']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function limits(items: readonly o.LimitRangeItem[]): Causes {
  const seen = new Set<string>()
  return items.flatMap((item, i) => {
    const path = `spec.limits[${i}]`
    const causes = typeCauses(item.type, `${path}.type`)
    if (seen.has(item.type)) causes.push(duplicate(`${path}.type`, item.type))
    seen.add(item.type)
    return [...causes, ...itemCauses(item, path)]
  })
}

function typeCauses(type: string, path: string): Causes {
  const causes = invalids(path, type, qualifiedName(type))
  if (causes.length === 0 && !type.includes('/') && !TYPES.includes(type))
    causes.push(invalidValue(path, type, 'must be a standard limit type or fully qualified'))
  return causes
}

function itemCauses(item: o.LimitRangeItem, path: string): Causes {
  const causes: Causes = []
  const names = new Set<string>()
  const nameRule = item.type === 'PersistentVolumeClaim' ? anyResourceName : containerResourceName
  for (const list of LISTS) {
    const given = Object.keys(item[list] ?? {})
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (given.length > 0) causes.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
      continue
    }
    for (const name of given) {
      causes.push(...nameRule(name, `${path}.${list}[${name}]`))
      names.add(name)
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage'])
    causes.push(
      required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
    )
  for (const name of names) causes.push(...relations(item, name, path))
  return causes
}

/** How the five amounts of one resource must stand to each other. */
function relations(item: o.LimitRangeItem, name: string, path: string): Causes {
  const { min, max, default: limit, defaultRequest: request, maxLimitRequestRatio: ratio } = amountsOf(item, name)
  const causes: Causes = []
  const ordered = (low: string | undefined, high: string | undefined, wrong: () => string) => {
    if (low !== undefined && high !== undefined && compare(low, high) > 0) causes.push(wrong())
  }
  const at = (list: string) => `${path}.${list}[${name}]`
  const both = (list: string, value: unknown, a: string, b: string) =>
    invalidValue(at(list), value, `${a} greater than ${b}`)
  ordered(min, max, () => both('min', min, `min value ${min} is`, `max value ${max}`))
  ordered(min, request, () =>
    both('defaultRequest', request, `min value ${min} is`, `default request value ${request}`),
  )
  ordered(request, max, () =>
    both('defaultRequest', request, `default request value ${request} is`, `max value ${max}`),
  )
  ordered(request, limit, () =>
    both('defaultRequest', request, `default request value ${request} is`, `default limit value ${limit}`),
  )
  ordered(min, limit, () => both('default', min, `min value ${min} is`, `default value ${limit}`))
  ordered(limit, max, () => both('default', max, `default value ${limit} is`, `max value ${max}`))
  if (ratio !== undefined) causes.push(...ratioCauses(ratio, min, max, at('maxLimitRequestRatio')))
  if (!isOvercommittable(name) && limit !== undefined && request !== undefined && compare(limit, request) !== 0)
    causes.push(
      invalidValue(
        at('defaultRequest'),
        request,
        `default value ${limit} must equal to defaultRequest value ${request} in ${name}`,
      ),
    )
  return causes
}

function ratioCauses(ratio: string, min: string | undefined, max: string | undefined, path: string): Causes {
  const causes: Causes = []
  if (compare(ratio, '1') < 0) causes.push(invalidValue(path, ratio, `ratio ${ratio} is less than 1`))
  if (min === undefined || max === undefined) return causes
  const limit = milliValueOf(parseQuantity(max)) / milliValueOf(parseQuantity(min))
  if (milliValueOf(parseQuantity(ratio)) / 1000 > limit)
    causes.push(invalidValue(path, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`))
  return causes
}

const amountsOf = (item: o.LimitRangeItem, name: string) => ({
  min: item.min?.[name],
  max: item.max?.[name],
  default: item.type === 'Pod' ? undefined : item.default?.[name],
  defaultRequest: item.type === 'Pod' ? undefined : item.defaultRequest?.[name],
  maxLimitRequestRatio: item.maxLimitRequestRatio?.[name],
})

const compare = (a: string, b: string): number => compareQuantities(parseQuantity(a), parseQuantity(b))
