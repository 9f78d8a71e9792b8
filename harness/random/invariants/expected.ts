import { controllerOf } from '../../../sandbox/kube/indexes.ts'
import { Deployment, Pod, PodDisruptionBudget, ReplicaSet, StatefulSet } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { isReady } from '../../../sandbox/kube/pods.ts'
import { selects } from '../../../sandbox/kube/selects.ts'
import type { ObjectsView } from '../../objects-view.ts'

/** What a budget comes to by the documentation of PodDisruptionBudgets, worked out without the controller that is held to it. */
export interface Allowance {
  readonly expected: number
  readonly desired: number
}

export const isMeant = ({ metadata, spec }: o.PodDisruptionBudget, pod: o.Pod): boolean =>
  metadata.namespace === pod.metadata.namespace && selects(spec.selector, pod.metadata.labels)

/** The budgets that mean a pod. */
export const budgetsFor = (view: ObjectsView, pod: o.Pod): o.PodDisruptionBudget[] =>
  view.list(PodDisruptionBudget).filter((budget) => isMeant(budget, pod))

export const podsOf = (view: ObjectsView, budget: o.PodDisruptionBudget): o.Pod[] =>
  view.list(Pod).filter((pod) => isMeant(budget, pod))

/** Ready, and nobody has sent it away. */
export const isHealthy = (pod: o.Pod, { status }: o.PodDisruptionBudget): boolean =>
  isReady(pod) && !pod.metadata.deletionTimestamp && status.disruptedPods?.[pod.metadata.name] === undefined

/** Undefined where it cannot be said: pods of controllers without a scale, or whose controller is gone. */
export function allowanceOf(view: ObjectsView, budget: o.PodDisruptionBudget): Allowance | undefined {
  const { minAvailable, maxUnavailable } = budget.spec
  const pods = podsOf(view, budget)
  if (maxUnavailable === undefined && minAvailable === undefined) return { expected: 0, desired: 0 }
  if (maxUnavailable === undefined && typeof minAvailable === 'number')
    return { expected: pods.length, desired: minAvailable }
  const expected = scaleOf(view, pods)
  if (expected === undefined) return undefined
  return maxUnavailable === undefined
    ? { expected, desired: shareOf(minAvailable!, expected) }
    : { expected, desired: Math.max(0, expected - shareOf(maxUnavailable, expected)) }
}

const shareOf = (value: o.IntOrString, whole: number): number =>
  typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * whole) / 100)

/** How many pods the controllers of these want together. */
function scaleOf(view: ObjectsView, pods: readonly o.Pod[]): number | undefined {
  const wanted = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) continue
    const scaled = scaledBy(view, owner, pod.metadata.namespace!)
    if (!scaled) return undefined
    wanted.set(scaled.metadata.uid, scaled.spec.replicas)
  }
  return [...wanted.values()].reduce((sum, replicas) => sum + replicas, 0)
}

type Scaled = o.Deployment | o.StatefulSet | o.ReplicaSet

function scaledBy(view: ObjectsView, { kind, name, uid }: o.OwnerReference, namespace: string): Scaled | undefined {
  const key = `${namespace}/${name}`
  if (kind === 'StatefulSet') return ofUid(view.get(StatefulSet, key), uid)
  const set = kind === 'ReplicaSet' ? ofUid(view.get(ReplicaSet, key), uid) : undefined
  const above = set && controllerOf(set)
  return (above && ofUid(view.get(Deployment, `${namespace}/${above.name}`), above.uid)) ?? set
}

const ofUid = <T extends o.KubeObject>(object: T | undefined, uid: string): T | undefined =>
  object?.metadata.uid === uid ? object : undefined
