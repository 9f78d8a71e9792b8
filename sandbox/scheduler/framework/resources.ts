import { milliValueOf, parseQuantity, type Quantity, wholeValueOf } from '../../kube/quantity.ts'

/** Amounts as the scheduler adds them up: thousandths of a cpu, bytes, counts. Follows pkg/scheduler/framework/types.go Resource. */
export interface Resource {
  milliCpu: number
  memoryBytes: number
  ephemeralStorageBytes: number
  pods: number
  /** Extended resources, huge pages, attachable volumes. */
  readonly scalars: Map<string, number>
}

export const zeroResource = (): Resource => ({
  milliCpu: 0,
  memoryBytes: 0,
  ephemeralStorageBytes: 0,
  pods: 0,
  scalars: new Map(),
})

export const cloneResource = (r: Resource): Resource => ({ ...r, scalars: new Map(r.scalars) })

/** Parses a list of quantities. Throws a QuantityError. */
export function resourceOf(list: Readonly<Record<string, string>> | undefined): Resource {
  const amounts = new Map<string, Quantity>()
  for (const name in list) amounts.set(name, parseQuantity(list[name]!))
  return resourceOfQuantities(amounts)
}

const known = new WeakMap<object, Resource>()

/** The same for a list that does not change: worked out once. */
export function knownResourceOf(list: Readonly<Record<string, string>> | undefined): Resource {
  if (!list || !Object.isFrozen(list)) return resourceOf(list)
  let resource = known.get(list)
  if (!resource) {
    resource = resourceOf(list)
    known.set(list, resource)
  }
  return resource
}

/** Rounds quantities to the scheduler's units; names it does not schedule by are left out. */
export function resourceOfQuantities(amounts: ReadonlyMap<string, Quantity>): Resource {
  const resource = zeroResource()
  for (const [name, quantity] of amounts) {
    if (name === 'cpu') resource.milliCpu = milliValueOf(quantity)
    else if (name === 'memory') resource.memoryBytes = wholeValueOf(quantity)
    else if (name === 'ephemeral-storage') resource.ephemeralStorageBytes = wholeValueOf(quantity)
    else if (name === 'pods') resource.pods = wholeValueOf(quantity)
    else if (isScalarName(name)) resource.scalars.set(name, wholeValueOf(quantity))
  }
  return resource
}

/** Adds (`sign` 1) or takes away (-1) in place. */
export function addResource(to: Resource, from: Resource, sign: 1 | -1): void {
  to.milliCpu += sign * from.milliCpu
  to.memoryBytes += sign * from.memoryBytes
  to.ephemeralStorageBytes += sign * from.ephemeralStorageBytes
  for (const [name, amount] of from.scalars) to.scalars.set(name, (to.scalars.get(name) ?? 0) + sign * amount)
}

// follows pkg/scheduler/util/utils.go IsScalarResourceName and pkg/apis/core/v1/helper/helpers.go
export function isScalarName(name: string): boolean {
  if (name.startsWith('hugepages-') || name.startsWith('attachable-volumes-')) return true
  if (name.includes('kubernetes.io/')) return true
  return name.includes('/') && !name.startsWith('requests.')
}
