import type * as o from '../../kube/objects.ts'
import { fromRfc3339, type Us } from '../../world/time.ts'
import { factsOf } from '../pod-facts.ts'
import { SERVICE_NAME } from './slice-plan.ts'

const DELETED = Number.POSITIVE_INFINITY

/**
 * The versions of the slices as this controller wrote them, so that it does not act on an older cache. Upstream counts
 * generations; versions rise with them. Follows k8s.io/endpointslice/util/endpointslice_tracker.go.
 */
export class SliceTracker {
  private readonly byService = new Map<string, Map<string, number>>()

  wrote(slice: o.EndpointSlice): void {
    this.of(slice).set(slice.metadata.uid, versionOf(slice))
  }

  deleted(slice: o.EndpointSlice): void {
    this.of(slice).set(slice.metadata.uid, DELETED)
  }

  /** Whether the cache's slices of a Service are older than what was written. */
  isStale(serviceKey: string, cached: readonly o.EndpointSlice[]): boolean {
    const known = this.byService.get(serviceKey)
    if (!known) return false
    const seen = new Set<string>()
    for (const slice of cached) {
      seen.add(slice.metadata.uid)
      if ((known.get(slice.metadata.uid) ?? 0) > versionOf(slice)) return true
    }
    for (const [uid, version] of known) if (version !== DELETED && !seen.has(uid)) return true
    return false
  }

  /** Whether a slice the cache has now is of another's making: its Service must be looked at. */
  isForeign(slice: o.EndpointSlice): boolean {
    const known = this.byService.get(serviceKeyOf(slice))?.get(slice.metadata.uid)
    return known === undefined || versionOf(slice) > known
  }

  /** Forgets a slice the cache no longer has. False when this controller did not delete it. */
  gone(slice: o.EndpointSlice): boolean {
    const known = this.byService.get(serviceKeyOf(slice))
    const version = known?.get(slice.metadata.uid)
    known?.delete(slice.metadata.uid)
    return version === undefined || version === DELETED
  }

  forget(serviceKey: string): void {
    this.byService.delete(serviceKey)
  }

  private of(slice: o.EndpointSlice): Map<string, number> {
    const key = serviceKeyOf(slice)
    let versions = this.byService.get(key)
    if (!versions) {
      versions = new Map()
      this.byService.set(key, versions)
    }
    return versions
  }
}

/** `namespace/name` of the Service a slice is for. */
export const serviceKeyOf = ({ metadata }: o.EndpointSlice): string =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`

const versionOf = (slice: o.EndpointSlice): number => Number(slice.metadata.resourceVersion)

interface Triggers {
  service: Us
  readonly pods: Map<string, Us>
}

/**
 * When what a sync is for happened: the earliest change of readiness since the last sync, or the Service's creation.
 * Follows k8s.io/endpointslice/util/trigger_time_tracker.go.
 */
export class TriggerTimes {
  private readonly byService = new Map<string, Triggers>()

  next(serviceKey: string, service: o.Service, pods: readonly o.Pod[]): Us | undefined {
    const before = this.byService.get(serviceKey)
    const created = fromRfc3339(service.metadata.creationTimestamp)
    const known = before ?? { service: created, pods: new Map<string, Us>() }
    this.byService.set(serviceKey, known)
    let earliest: Us | undefined
    for (const pod of pods) {
      const at = factsOf(pod).readyChangedAt
      const last = known.pods.get(pod.metadata.name)
      if (at === undefined || (last !== undefined && at <= last)) continue
      earliest = Math.min(earliest ?? at, at)
      known.pods.set(pod.metadata.name, at)
    }
    if (known.pods.size > 2 * pods.length) forgetOthers(known.pods, pods)
    if (!before) return created
    if (created <= known.service) return earliest
    known.service = created
    return Math.min(earliest ?? created, created)
  }

  forget(serviceKey: string): void {
    this.byService.delete(serviceKey)
  }
}

function forgetOthers(times: Map<string, Us>, pods: readonly o.Pod[]): void {
  const names = new Set(pods.map((pod) => pod.metadata.name))
  for (const name of times.keys()) if (!names.has(name)) times.delete(name)
}
