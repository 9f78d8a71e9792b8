import { EndpointSlice, keyOf, Node, Pod, Service } from '../kube/kinds.ts'
import type { Handler, Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import type { Task } from '../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, primary, watching } from './controller.ts'
import { DesiredEndpoints } from './endpoints/desired.ts'
import { endpointChanged, placeChanged, zoneOf } from './endpoints/endpoint.ts'
import { MANAGED_BY, MANAGER, planSlices, SERVICE_NAME } from './endpoints/slice-plan.ts'
import { SliceTracker, serviceKeyOf, TriggerTimes } from './endpoints/trackers.ts'
import { RetryError } from './retry.ts'

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'

/**
 * Keeps the EndpointSlices of Services with a selector: one instance a running control plane. `batchPeriod` is
 * `--endpointslice-updates-batch-period`. Follows pkg/controller/endpointslice/endpointslice_controller.go (1.36).
 */
export function endpointSliceController(options: { batchPeriod?: Us } = {}): ControllerSpec {
  const { batchPeriod = 0 } = options
  const tracker = new SliceTracker()
  const triggers = new TriggerTimes()
  const endpoints = new DesiredEndpoints()
  return controller({
    name: 'endpointslice-controller',
    workers: 5,
    maxRetries: 15,
    retryDelay: seconds(1),
    watches: [
      primary(Service),
      watching(Pod, (context) => podHandler(context, batchPeriod)),
      watching(EndpointSlice, (context) => sliceHandler(context, tracker)),
      watching(Node, () => nodeHandler(endpoints)),
    ],
    *reconcile(key, { kube }) {
      const service = kube.get(Service, key)
      if (!service) {
        tracker.forget(key)
        endpoints.forget(key)
        return triggers.forget(key)
      }
      const { selector, type } = service.spec
      if (type === 'ExternalName' || !selector) return
      const pods = kube.list(Pod, { namespace: service.metadata.namespace, selector: { matchLabels: selector } })
      const existing = slicesOf(kube, service)
      if (tracker.isStale(key, existing))
        throw new RetryError('EndpointSlice informer cache is out of date', { quiet: true })
      const trigger = triggers.next(key, service, pods)
      const { desired, skipped } = endpoints.of(kube, service, pods)
      try {
        yield* write(kube, service, planSlices(service, desired, existing), { tracker, trigger })
        if (skipped) throw new RetryError(skipped)
      } catch (error) {
        const message = `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`
        kube.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message)
        throw error
      }
    },
  })
}

function slicesOf(kube: Kube, { metadata }: o.Service): readonly o.EndpointSlice[] {
  const matchLabels = { [SERVICE_NAME]: metadata.name, [MANAGED_BY]: MANAGER }
  const slices = kube.list(EndpointSlice, { namespace: metadata.namespace, selector: { matchLabels } })
  return slices.filter((slice) => !slice.metadata.deletionTimestamp)
}

function* write(
  kube: Kube,
  service: o.Service,
  plan: ReturnType<typeof planSlices>,
  { tracker, trigger }: { tracker: SliceTracker; trigger: Us | undefined },
): Task {
  const stamped = <M extends Pick<o.ObjectMeta, 'annotations'>>(metadata: M): M => {
    const { [TRIGGER_TIME]: _, ...annotations } = metadata.annotations ?? {}
    if (trigger === undefined) return { ...metadata, annotations }
    return { ...metadata, annotations: { ...annotations, [TRIGGER_TIME]: toRfc3339(trigger) } }
  }
  if (!service.metadata.deletionTimestamp)
    for (const draft of plan.create)
      tracker.wrote(yield* kube.create(EndpointSlice, { ...draft, metadata: stamped(draft.metadata) }))
  for (const slice of plan.update)
    tracker.wrote(yield* kube.update(EndpointSlice, { ...slice, metadata: stamped(slice.metadata) }))
  for (const slice of plan.delete) {
    yield* kube.delete(EndpointSlice, keyOf(slice))
    tracker.deleted(slice)
  }
}

/** Queues the Services that select a pod, or did before its labels changed. Follows util/controller_utils.go. */
function podHandler({ kube, queue }: ControllerContext, batchPeriod: Us): Handler<o.Pod> {
  const selecting = ({ metadata }: o.Pod): string[] =>
    kube
      .list(Service, { namespace: metadata.namespace })
      .filter(({ spec }) => spec.selector && selects({ matchLabels: spec.selector }, metadata.labels))
      .map(keyOf)
  const add = (keys: Iterable<string>) => {
    for (const key of keys) queue.addAfter(key, batchPeriod)
  }
  return {
    added: (pod) => add(selecting(pod)),
    updated(before, after) {
      const changed = endpointChanged(before, after)
      if (!placeChanged(before, after)) {
        if (changed) add(selecting(after))
        return
      }
      const [past, present] = [new Set(selecting(before)), new Set(selecting(after))]
      const either = new Set([...present, ...past])
      add(changed ? either : [...either].filter((key) => past.has(key) !== present.has(key)))
    },
    deleted: (pod) => add(selecting(pod)),
  }
}

/** Queues the Service of a slice that somebody else changed. */
function sliceHandler({ queue }: ControllerContext, tracker: SliceTracker): Handler<o.EndpointSlice> {
  const managed = ({ metadata }: o.EndpointSlice) => metadata.labels?.[MANAGED_BY] === MANAGER
  const add = (slice: o.EndpointSlice) => queue.add(serviceKeyOf(slice))
  return {
    added(slice) {
      if (managed(slice) && tracker.isForeign(slice)) add(slice)
    },
    updated(before, after) {
      if (serviceKeyOf(before) !== serviceKeyOf(after)) {
        add(before)
        add(after)
      } else if (managed(before) !== managed(after) || (managed(after) && tracker.isForeign(after))) add(after)
    },
    deleted(slice) {
      if (managed(slice) && !tracker.gone(slice)) add(slice)
    },
  }
}

/** What endpoints say of a node is its zone. */
function nodeHandler(endpoints: DesiredEndpoints): Handler<o.Node> {
  const forget = () => endpoints.nodesChanged()
  return {
    added: forget,
    updated(before, after) {
      if (zoneOf(before) !== zoneOf(after)) forget()
    },
    deleted: forget,
  }
}
