import { controllerOf } from '../../../sandbox/kube/indexes.ts'
import {
  EndpointSlice,
  HorizontalPodAutoscaler,
  kindOf,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition, isFinished, isReady } from '../../../sandbox/kube/pods.ts'
import { fromRfc3339, seconds, type Us } from '../../../sandbox/world/time.ts'
import type { ObjectsView } from '../../objects-view.ts'
import type { RandomPlatform, RandomWorkload } from '../platform.ts'
import { scalable, unconverged } from './converged.ts'
import { nodeWithRoom } from './fits.ts'
import type { Live } from './programs.ts'

/** What a cluster is looked at for when faults are over. */
export interface Scene {
  readonly view: ObjectsView
  readonly platform: RandomPlatform
  readonly now: Us
  readonly live: ReadonlySet<Live>
  /** Workloads whose pods become Ready wherever they run. */
  readonly sound: ReadonlySet<RandomWorkload>
  readonly isUp: (node: string) => boolean
}

export type Finding = readonly [invariant: string, what: string]

/** What is not as it must be some time after all faults are healed. */
export function unsettled(scene: Scene): Finding[] {
  return [
    ...pods(scene),
    ...deleted(scene),
    ...orphans(scene),
    ...programs(scene),
    ...endpoints(scene),
    ...horizontals(scene),
    ...unconverged(scene),
  ]
}

/** How long a controller, the scheduler or a kubelet may take to say something. */
const PATIENCE: Us = seconds(60)
/** The scheduler looks at a pod that fits nowhere again after five minutes at the latest. */
const RETRY: Us = seconds(400)

const since = (now: Us, text: string | undefined): Us => (text === undefined ? 0 : now - fromRfc3339(text))

/** Every pod runs, has ended, or says why not. */
function pods(scene: Scene): Finding[] {
  const { view, now, isUp } = scene
  return view.list(Pod).flatMap((pod): Finding[] => {
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
    if (deletionTimestamp) {
      const late = since(now, deletionTimestamp) - seconds(deletionGracePeriodSeconds) > PATIENCE
      return late && isUp(pod.spec.nodeName ?? '') ? [['terminating-for-ever', `${name} on ${pod.spec.nodeName}`]] : []
    }
    if (isFinished(pod) || since(now, creationTimestamp) < PATIENCE) return []
    if (!pod.spec.nodeName) return waiting(scene, pod, name)
    if (!view.get(Node, pod.spec.nodeName)) return [['pod-on-no-node', `${name} on ${pod.spec.nodeName}`]]
    return pod.status.containerStatuses
      ? []
      : [['pod-lost', `${name} is bound to ${pod.spec.nodeName} and nothing is said of it`]]
  })
}

function waiting({ view, now }: Scene, pod: o.Pod, name: string): Finding[] {
  const scheduled = condition(pod, 'PodScheduled')
  if (scheduled?.status !== 'False') return [['pod-lost', `${name} is not scheduled and nothing says why`]]
  const node = since(now, pod.metadata.creationTimestamp) > RETRY ? nodeWithRoom(view, pod) : undefined
  return node ? [['pod-forgotten', `${name} is pending (${scheduled.message}) and ${node} has room`]] : []
}

/** Nothing stays half deleted. */
function deleted({ view, now }: Scene): Finding[] {
  return view.all().flatMap((object): Finding[] => {
    const { deletionTimestamp, name, finalizers } = object.metadata
    if (object.kind === 'Pod' || !deletionTimestamp || since(now, deletionTimestamp) < 2 * PATIENCE) return []
    return [['deleted-for-ever', `${object.kind} ${name} waits for ${finalizers?.join(', ') || 'nothing'}`]]
  })
}

/** Nothing outlives its controller. */
function orphans({ view, now }: Scene): Finding[] {
  return [...view.list(Pod), ...view.list(ReplicaSet)].flatMap((object): Finding[] => {
    const owner = controllerOf(object)
    if (!owner || object.metadata.deletionTimestamp || since(now, object.metadata.creationTimestamp) < PATIENCE)
      return []
    const found = view.get(
      kindOf({ apiVersion: owner.apiVersion, kind: owner.kind }),
      `${object.metadata.namespace}/${owner.name}`,
    )
    return found?.metadata.uid === owner.uid
      ? []
      : [['outlives-owner', `${object.kind} ${object.metadata.name} of ${owner.kind} ${owner.name}`]]
  })
}

/** Nothing runs for a pod that is gone. */
function programs({ view, live }: Scene): Finding[] {
  const uids = new Set(view.list(Pod).map((pod) => pod.metadata.uid))
  return [...live].flatMap((one): Finding[] =>
    uids.has(one.pod.metadata.uid)
      ? []
      : [['runs-for-nobody', `${one.pod.metadata.name}[${one.container}] on ${one.pod.spec.nodeName}`]],
  )
}

/** A Service's endpoints are its ready pods. */
function endpoints({ view }: Scene): Finding[] {
  const slices = view.list(EndpointSlice)
  return view.list(Service).flatMap((service): Finding[] => {
    const { name, namespace } = service.metadata
    const { selector, publishNotReadyAddresses } = service.spec
    if (!selector) return []
    const expected = view
      .list(Pod)
      .filter(
        (pod) =>
          pod.metadata.namespace === namespace &&
          Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value) &&
          !isFinished(pod) &&
          pod.status.podIP &&
          (publishNotReadyAddresses || (isReady(pod) && !pod.metadata.deletionTimestamp)),
      )
      .map((pod) => pod.metadata.name)
    const found = slices
      .filter(
        (slice) =>
          slice.metadata.namespace === namespace && slice.metadata.labels?.['kubernetes.io/service-name'] === name,
      )
      .flatMap((slice) =>
        slice.endpoints.filter((endpoint) => endpoint.conditions.ready).map((one) => one.targetRef?.name ?? '?'),
      )
    const [want, have] = [expected.sort().join(' '), found.sort().join(' ')]
    return want === have
      ? []
      : [['endpoints-differ', `${namespace}/${name}: ready pods ${want || '–'}, endpoints ${have || '–'}`]]
  })
}

/** What an autoscaler scales is within its bounds. */
function horizontals({ view }: Scene): Finding[] {
  return view.list(HorizontalPodAutoscaler).flatMap((hpa): Finding[] => {
    const { minReplicas, maxReplicas, scaleTargetRef } = hpa.spec
    const target = scalable(view, `${hpa.metadata.namespace}/${scaleTargetRef.name}`, scaleTargetRef.kind)
    if (!target || target.spec.replicas === 0) return []
    const { replicas } = target.spec
    return replicas < minReplicas || replicas > maxReplicas
      ? [['hpa-out-of-bounds', `${hpa.metadata.name}: ${replicas} replicas, not ${minReplicas} to ${maxReplicas}`]]
      : []
  })
}
