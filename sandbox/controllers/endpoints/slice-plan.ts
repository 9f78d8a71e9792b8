import { equal } from '../../journal/merge-patch.ts'
import { canonical } from '../../journal/record.ts'
import type * as o from '../../kube/objects.ts'
import { controllerRef } from '../claim.ts'
import { generateNameOf } from '../pod-control.ts'
import { type EndpointPorts, identityOf, unchanged } from './endpoint.ts'

// follows k8s.io/endpointslice reconciler.go

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
/** Who manages the slices made here, as their label says. */
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'

const RESERVED = new Set([SERVICE_NAME, MANAGED_BY, HEADLESS])

/** Endpoints in one slice, at most: upstream's default of `--max-endpoints-per-slice`. */
const MAX_ENDPOINTS = 100

/** A slice before the server has seen it. */
type SliceDraft = Pick<o.EndpointSlice, 'apiVersion' | 'kind' | 'addressType' | 'endpoints' | 'ports'> & {
  metadata: Pick<o.ObjectMeta, 'namespace' | 'labels' | 'annotations' | 'ownerReferences'> & { generateName: string }
}

/** What is to be done to a Service's slices. */
interface SlicePlan {
  readonly create: SliceDraft[]
  readonly update: o.EndpointSlice[]
  readonly delete: o.EndpointSlice[]
}

/** Endpoints that share the same ports. */
export interface Desired {
  readonly ports: EndpointPorts
  readonly endpoints: readonly o.Endpoint[]
}

/**
 * The least that makes the existing slices hold the desired endpoints: those in place are kept there, slices that change anyway
 * are filled first, and no slice is moved into another. A Service without endpoints has one empty slice.
 */
export function planSlices(
  service: o.Service,
  desired: readonly Desired[],
  existing: readonly o.EndpointSlice[],
): SlicePlan {
  const own = existing.filter((slice) => isOwnedBy(slice, service) && slice.addressType === 'IPv4')
  const plan: SlicePlan = { create: [], update: [], delete: existing.filter((slice) => !own.includes(slice)) }
  const byPorts = new Map<string, o.EndpointSlice[]>()
  for (const slice of own) put(byPorts, portsKey(slice.ports), slice)
  for (const wanted of desired) {
    const key = portsKey(wanted.ports)
    planForPorts(service, wanted, byPorts.get(key) ?? [], plan)
    byPorts.delete(key)
  }
  for (const slices of byPorts.values()) plan.delete.push(...slices)
  leavePlaceholder(service, existing, plan)
  return reuse(plan, service)
}

function planForPorts(
  service: o.Service,
  wanted: Desired,
  existing: readonly o.EndpointSlice[],
  plan: SlicePlan,
): void {
  const labels = sliceLabels(service)
  const { kept, missing } = inPlace(wanted.endpoints, existing)
  const changing: o.EndpointSlice[] = []
  const settled: o.EndpointSlice[] = []
  existing.forEach((slice, i) => {
    const endpoints = kept[i]
    if (endpoints?.length === 0) plan.delete.push(slice)
    else if (endpoints || !equal(slice.metadata.labels, labels))
      changing.push({
        ...slice,
        metadata: { ...slice.metadata, labels },
        endpoints: endpoints ?? [...slice.endpoints],
      })
    else settled.push(slice)
  })
  for (const slice of [...changing].sort((a, b) => b.endpoints.length - a.endpoints.length)) fill(slice, missing)
  while (missing.size > 0) {
    const roomy = missing.size < MAX_ENDPOINTS ? closestFit(settled, missing.size) : undefined
    if (roomy) {
      settled.splice(settled.indexOf(roomy), 1)
      const slice = { ...roomy, endpoints: [...roomy.endpoints] }
      fill(slice, missing)
      changing.push(slice)
    } else {
      const slice = newSlice(service, wanted.ports)
      fill(slice, missing)
      plan.create.push(slice)
    }
  }
  plan.update.push(...changing)
}

/**
 * What each slice keeps of its endpoints, as they are wanted now: undefined where all stay as they are. And the endpoints that
 * have no place yet, by identity. Most are found by reference: the cache holds the very objects that were written last.
 */
function inPlace(
  wanted: readonly o.Endpoint[],
  slices: readonly o.EndpointSlice[],
): { kept: (o.Endpoint[] | undefined)[]; missing: Map<string, o.Endpoint> } {
  const unplaced = new Set(wanted)
  const strangers = slices.map(({ endpoints }) => new Set(endpoints.filter((endpoint) => !unplaced.delete(endpoint))))
  const missing = new Map<string, o.Endpoint>()
  for (const endpoint of unplaced) missing.set(identityOf(endpoint), endpoint)
  const kept = slices.map(({ endpoints }, i) => {
    const strange = strangers[i]!
    let changed = false
    const left =
      strange.size === 0
        ? []
        : endpoints.flatMap((endpoint) => {
            if (!strange.has(endpoint)) return endpoint
            const identity = identityOf(endpoint)
            const now = missing.get(identity)
            missing.delete(identity)
            if (!now || !unchanged(now, endpoint)) changed = true
            return now ?? []
          })
    return changed ? left : undefined
  })
  return { kept, missing }
}

function fill(slice: { endpoints: o.Endpoint[] }, missing: Map<string, o.Endpoint>): void {
  for (const [identity, endpoint] of missing) {
    if (slice.endpoints.length >= MAX_ENDPOINTS) return
    slice.endpoints.push(endpoint)
    missing.delete(identity)
  }
}

/** The slice that `count` more would fill best. Follows getSliceToFill. */
function closestFit(slices: readonly o.EndpointSlice[], count: number): o.EndpointSlice | undefined {
  let best: o.EndpointSlice | undefined
  let least = MAX_ENDPOINTS
  for (const slice of slices) {
    const left = MAX_ENDPOINTS - count - slice.endpoints.length
    if (left < 0 || left >= least) continue
    least = left
    best = slice
  }
  return best
}

/** One slice is left when all would go, so that clients can tell «none» from «not known». */
function leavePlaceholder(service: o.Service, existing: readonly o.EndpointSlice[], plan: SlicePlan): void {
  if (existing.length !== plan.delete.length || plan.create.length > 0) return
  const placeholder = newSlice(service, [])
  const [only] = plan.delete
  const isPlaceholder =
    plan.delete.length === 1 &&
    only!.endpoints.length === 0 &&
    only!.ports.length === 0 &&
    isOwnedBy(only!, service) &&
    equal(only!.metadata.labels, placeholder.metadata.labels)
  if (isPlaceholder) plan.delete.pop()
  else plan.create.push(placeholder)
}

/** A slice that would go is turned into one that would be made. Follows finalize. */
function reuse({ create, update, delete: doomed }: SlicePlan, service: o.Service): SlicePlan {
  const made = [...create]
  const changed = [...update]
  const gone = doomed.filter((slice) => {
    if (made.length === 0 || slice.addressType !== 'IPv4' || !isOwnedBy(slice, service)) return true
    const { endpoints, ports, metadata } = made.pop()!
    changed.push({ ...slice, metadata: { ...slice.metadata, labels: metadata.labels }, endpoints, ports })
    return false
  })
  return { create: made, update: changed, delete: gone }
}

function newSlice(service: o.Service, ports: EndpointPorts): SliceDraft {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: generateNameOf(service.metadata.name),
      namespace: service.metadata.namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerRef(service)],
    },
    addressType: 'IPv4',
    endpoints: [],
    ports,
  }
}

function sliceLabels({ metadata, spec }: o.Service): Record<string, string> {
  const labels = Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => !RESERVED.has(key)))
  if (!spec.clusterIP || spec.clusterIP === 'None') labels[HEADLESS] = ''
  return { ...labels, [SERVICE_NAME]: metadata.name, [MANAGED_BY]: MANAGER }
}

const isOwnedBy = ({ metadata }: o.EndpointSlice, service: o.Service): boolean =>
  (metadata.ownerReferences ?? []).some((ref) => ref.uid === service.metadata.uid && ref.kind === 'Service')

/** The same for the same ports in any order. */
export const portsKey = (ports: EndpointPorts): string => ports.map(canonical).sort().join()

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
