import type { Container, PodSpec } from '../../kube/objects.ts'
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../../kube/quantity.ts'

type Amounts = Map<string, Quantity>

/** What a container without a request of its own counts as in scores. Follows pkg/scheduler/util/pod_resources.go. */
export const DEFAULT_REQUESTS: ReadonlyMap<string, Quantity> = new Map([
  ['cpu', parseQuantity('100m')],
  ['memory', parseQuantity('200Mi')],
])

/**
 * What a pod asks of its node: its containers together, or an init container with the sidecars started before it where that
 * is more; requests of the pod as a whole in place of those; and its overhead. Containers that do not name a resource of
 * `missing` count with that; `withoutPodLevel` looks at containers alone. Throws a QuantityError.
 * Follows k8s.io/component-helpers/resource/helpers.go PodRequests.
 */
export function podRequests(
  spec: PodSpec,
  missing?: ReadonlyMap<string, Quantity>,
  options: { readonly withoutPodLevel?: boolean } = {},
): Amounts {
  const requests = containerRequests(spec, missing)
  if (!options.withoutPodLevel && hasPodLevelRequests(spec)) {
    for (const [name, amount] of parsed(spec.resources?.requests)) if (isPodLevel(name)) requests.set(name, amount)
  }
  add(requests, parsed(spec.overhead))
  return requests
}

/** Whether requests are set for the pod as a whole. */
export const hasPodLevelRequests = (spec: PodSpec): boolean =>
  Object.keys(spec.resources?.requests ?? {}).some(isPodLevel)

/** What a pod may use at most: the same with limits. Overhead counts where there is a limit. Follows PodLimits. */
export function podLimits(spec: PodSpec): Amounts {
  const limits = aggregate(spec, (container) => parsed(container.resources?.limits))
  for (const [name, amount] of parsed(spec.resources?.limits)) if (isPodLevel(name)) limits.set(name, amount)
  for (const [name, amount] of parsed(spec.overhead)) {
    const limit = limits.get(name)
    if (limit && limit.nanos !== 0n) limits.set(name, addQuantities(limit, amount))
  }
  return limits
}

const containerRequests = (spec: PodSpec, missing: ReadonlyMap<string, Quantity> | undefined): Amounts =>
  aggregate(spec, (container) => requestsOf(container, missing))

function aggregate(spec: PodSpec, amountsOf: (container: Container) => Amounts): Amounts {
  const amounts: Amounts = new Map()
  for (const container of spec.containers) add(amounts, amountsOf(container))
  const sidecars: Amounts = new Map()
  const initial: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container)
    if (container.restartPolicy === 'Always') {
      add(amounts, own)
      add(sidecars, own)
      raise(initial, sidecars)
    } else {
      add(own, sidecars)
      raise(initial, own)
    }
  }
  raise(amounts, initial)
  return amounts
}

function requestsOf(container: Container, missing: ReadonlyMap<string, Quantity> | undefined): Amounts {
  const requests = parsed(container.resources?.requests)
  if (missing) for (const [name, amount] of missing) if (!requests.has(name)) requests.set(name, amount)
  return requests
}

function parsed(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = new Map()
  for (const name in list) amounts.set(name, parseQuantity(list[name]!))
  return amounts
}

function add(to: Amounts, from: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of from) {
    const known = to.get(name)
    to.set(name, known ? addQuantities(known, amount) : amount)
  }
}

function raise(to: Amounts, from: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of from) {
    const known = to.get(name)
    if (!known || compareQuantities(amount, known) > 0) to.set(name, amount)
  }
}

export const isPodLevel = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
