import { controllerOf } from '../../../sandbox/kube/indexes.ts'
import {
  DaemonSet,
  Deployment,
  Job,
  LimitRange,
  Pod,
  ReplicaSet,
  ResourceQuota,
  StatefulSet,
} from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition, isActive, isReady } from '../../../sandbox/kube/pods.ts'
import type { ObjectsView } from '../../objects-view.ts'
import { keyOfWorkload, type RandomWorkload } from '../platform.ts'
import type { Finding, Scene } from './eventual.ts'

/** Workloads that have not the replicas they ask for although nothing keeps them from it. */
export function unconverged(scene: Scene): Finding[] {
  return scene.platform.workloads.flatMap((workload) => {
    const lacks = lacking(scene, workload)
    return lacks === undefined
      ? []
      : [[`${workload.kind.toLowerCase()}-unconverged`, `${keyOfWorkload(workload)}: ${lacks}`] as const]
  })
}

function lacking(scene: Scene, workload: RandomWorkload): string | undefined {
  const { view } = scene
  const key = keyOfWorkload(workload)
  // a quota or a limit may forbid pods: then there is no telling from outside how many there should be
  const free = ![...view.list(ResourceQuota), ...view.list(LimitRange)].some(
    (one) => one.metadata.namespace === workload.namespace,
  )
  const options = { view, sound: scene.sound.has(workload), free }
  if (workload.kind === 'Deployment') return deployment(view.get(Deployment, key), options)
  if (workload.kind === 'StatefulSet') return statefulSet(view.get(StatefulSet, key), options)
  if (workload.kind === 'DaemonSet') return daemonSet(view.get(DaemonSet, key), options)
  return job(view.get(Job, key), options)
}

interface Options {
  readonly view: ObjectsView
  readonly sound: boolean
  readonly free: boolean
}

function deployment(object: o.Deployment | undefined, { view, sound, free }: Options): string | undefined {
  if (!object) return undefined
  const { spec, status, metadata } = object
  if ((status.observedGeneration ?? 0) < metadata.generation!) return 'its newest generation was never seen'
  const sets = view.list(ReplicaSet).filter((one) => controllerOf(one)?.uid === metadata.uid)
  const pods = sets.flatMap((set) => podsOf(view, set))
  if ((status.replicas ?? 0) !== pods.filter(isActive).length)
    return `status says ${status.replicas ?? 0} replicas, there are ${pods.filter(isActive).length}`
  const surge = spec.strategy.type === 'Recreate' ? 0 : spec.replicas
  if (pods.filter(isActive).length > spec.replicas + surge + 1)
    return `${pods.length} pods for ${spec.replicas} replicas`
  if (!sound || !free) return undefined
  if (sets.filter((set) => set.spec.replicas > 0).length > 1 && !stuck(pods)) return 'its rollout never ends'
  return replicas(spec.replicas, pods)
}

function statefulSet(object: o.StatefulSet | undefined, { view, sound, free }: Options): string | undefined {
  if (!object) return undefined
  const { spec, status, metadata } = object
  if ((status.observedGeneration ?? 0) < metadata.generation!) return 'its newest generation was never seen'
  const pods = podsOf(view, object)
  const start = spec.ordinals?.start ?? 0
  const ordinals = pods.map((pod) => Number(pod.metadata.name.slice(metadata.name.length + 1)))
  const strange = ordinals.filter((ordinal) => !(ordinal >= start && ordinal < start + spec.replicas))
  if (strange.length > 0 && sound && free && !stuck(pods))
    return `ordinals ${strange.join(', ')} for ${spec.replicas} replicas from ${start}`
  if (new Set(ordinals).size !== ordinals.length) return `ordinals ${ordinals.join(', ')}`
  if (!sound || !free) return undefined
  return replicas(spec.replicas, pods)
}

function daemonSet(object: o.DaemonSet | undefined, { view, sound, free }: Options): string | undefined {
  if (!object) return undefined
  const { status, metadata } = object
  if ((status.observedGeneration ?? 0) < metadata.generation!) return 'its newest generation was never seen'
  const pods = podsOf(view, object).filter(isActive)
  const nodes = pods.map((pod) => pod.spec.nodeName).filter((name) => name !== undefined)
  if (new Set(nodes).size !== nodes.length) return `two pods on one node: ${nodes.join(', ')}`
  if (!sound || !free) return undefined
  return replicas(status.desiredNumberScheduled, pods)
}

function job(object: o.Job | undefined, { view, free }: Options): string | undefined {
  if (!object || object.metadata.deletionTimestamp) return undefined
  const over = ['Complete', 'Failed'].some((type) => condition(object, type)?.status === 'True')
  const active = podsOf(view, object).filter(isActive)
  if (over) return active.length > 0 ? `it is over and has ${active.length} pods` : undefined
  return !free || object.spec.suspend || stuck(active)
    ? undefined
    : `neither over nor waiting for room, with ${active.length} pods`
}

/** As many pods as asked for, each Ready or waiting for room. */
function replicas(asked: number, pods: readonly o.Pod[]): string | undefined {
  const active = pods.filter(isActive)
  if (stuck(active)) return undefined
  if (active.length !== asked) return `${active.length} pods for ${asked} replicas`
  const unready = active.filter((pod) => !isReady(pod))
  return unready.length > 0
    ? `not ready: ${unready.map((pod) => `${pod.metadata.name} ${why(pod)}`).join(', ')}`
    : undefined
}

const stuck = (pods: readonly o.Pod[]): boolean => pods.some((pod) => isActive(pod) && !pod.spec.nodeName)

const podsOf = (view: ObjectsView, owner: o.KubeObject): o.Pod[] =>
  view.list(Pod).filter((pod) => controllerOf(pod)?.uid === owner.metadata.uid)

const why = ({ status }: o.Pod): string =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
    .filter(({ ready }) => !ready)
    .map(({ name, state }) => `${name} ${state.waiting?.reason ?? Object.keys(state)[0]}`)
    .join(' ')

/** What an autoscaler can scale. */
export const scalable = (view: ObjectsView, key: string, kind: string): o.Deployment | o.StatefulSet | undefined =>
  kind === 'Deployment' ? view.get(Deployment, key) : view.get(StatefulSet, key)
