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
      if (!overcommits(name))
        causes.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
      continue
    }
    const order = compareQuantities(parseQuantity(text), parseQuantity(limit))
    if (order !== 0 && !overcommits(name))
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
  ...resourceName(name, path),
  ...quantityOf(name, text, path),
]

function resourceName(name: string, path: string): Causes {
  const causes = invalids(path, name, qualifiedName(name))
  const plain = !name.includes('/')
  if (causes.length === 0 && plain && !STANDARD.has(name) && !/^(requests\.)?hugepages-/.test(name))
    causes.push(invalidValue(path, name, 'must be a standard resource type or fully qualified'))
  if (plain) {
    if (!CONTAINER.has(name) && !isHugePages(name))
      causes.push(invalidValue(path, name, 'must be a standard resource for containers'))
  } else if (!isNative(name) && !isExtended(name))
    causes.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
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
const overcommits = (name: string): boolean => isNative(name) && !isHugePages(name)

/** A resource some device plugin serves: `nvidia.com/gpu`. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
