import type * as o from '../../kube/objects.ts'
import { compareQuantities, milliValueOf, parseQuantity, type Quantity } from '../../kube/quantity.ts'
import { type Causes, forbidden, invalids, invalidValue, NEGATIVE, required } from './field.ts'
import { qualifiedName } from './names.ts'

/** What a container asks for. Follows pkg/apis/core/validation/validation.go ValidateContainerResourceRequirements. */
export function containerResources(resources: o.Container['resources'], path: string): Causes {
  const { limits = {}, requests = {} } = resources
  const causes: Causes = []
  for (const [name, text] of Object.entries(limits)) causes.push(...entry(name, text, `${path}.limits[${name}]`))
  for (const [name, text] of Object.entries(requests)) {
    causes.push(...entry(name, text, `${path}.requests[${name}]`))
    const limit = limits[name]
    if (limit === undefined) {
      if (!isOvercommittable(name))
        causes.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
      continue
    }
    const order = compareQuantities(parseQuantity(text), parseQuantity(limit))
    if (order !== 0 && !isOvercommittable(name))
      causes.push(invalidValue(`${path}.requests`, text, `must be equal to ${name} limit of ${limit}`))
    else if (order > 0)
      causes.push(invalidValue(`${path}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`))
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    causes.push(forbidden(path, 'HugePages require cpu or memory'))
  return causes
}

/** A quantity of a named resource: not negative, and whole where only whole ones exist. */
export function quantityOf(name: string, text: string, path: string): Causes {
  const quantity: Quantity = parseQuantity(text)
  return [
    ...(quantity.nanos < 0n ? [invalidValue(path, text, NEGATIVE)] : []),
    ...(isInteger(name) && milliValueOf(quantity) % 1000 !== 0 ? [invalidValue(path, text, 'must be an integer')] : []),
  ]
}

const entry = (name: string, text: string, path: string): Causes => [
  ...containerResourceName(name, path),
  ...quantityOf(name, text, path),
]

/** Any resource's name. Follows validateResourceName. */
export function anyResourceName(name: string, path: string): Causes {
  const causes = invalids(path, name, qualifiedName(name))
  if (causes.length === 0 && !name.includes('/') && !STANDARD.has(name) && !/^(requests\.)?hugepages-/.test(name))
    causes.push(invalidValue(path, name, 'must be a standard resource type or fully qualified'))
  return causes
}

/** The name of what a container may ask for. Follows validateContainerResourceName. */
export function containerResourceName(name: string, path: string): Causes {
  const causes = anyResourceName(name, path)
  if (!name.includes('/')) {
    if (!CONTAINER.has(name) && !isHugePages(name))
      causes.push(invalidValue(path, name, 'must be a standard resource for containers'))
  } else if (!isNative(name) && !isExtended(name))
    causes.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
  return causes
}

/** The name of what a quota limits. Follows ValidateResourceQuotaResourceName. */
export function quotaResourceName(name: string, path: string): Causes {
  const causes = anyResourceName(name, path)
  if (!name.includes('/') && !isStandardQuotaResource(name))
    causes.push(invalidValue(path, name, 'must be a standard resource for quota'))
  return causes
}

// follows pkg/apis/core/helper/helpers.go
const CONTAINER = new Set(['cpu', 'memory', 'ephemeral-storage'])
const COUNTED = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])
const STANDARD = new Set([
  ...CONTAINER,
  ...[...CONTAINER].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  ...COUNTED,
  'storage',
  'requests.storage',
])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
const isInteger = (name: string): boolean => COUNTED.has(name) || isExtended(name)
export const isOvercommittable = (name: string): boolean => isNative(name) && !isHugePages(name)

/** Follows pkg/apis/core/helper/helpers.go IsStandardQuotaResourceName. */
export const isStandardQuotaResource = (name: string): boolean =>
  (STANDARD.has(name) && name !== 'storage') || /^(requests\.)?hugepages-/.test(name)

/** A resource some device plugin serves: `nvidia.com/gpu`. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
