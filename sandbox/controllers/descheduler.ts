import { isApiError } from '../kube/errors.ts'
import { controllerOf } from '../kube/indexes.ts'
import { keyOf, Node, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { condition, isActive } from '../kube/pods.ts'
import { sleep, type Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'

// follows sigs.k8s.io/descheduler pkg/framework/plugins/{removepodshavingtoomanyrestarts,defaultevictor}

/** What a descheduler does here: it sends pods away that were restarted too often. */
export interface DeschedulerOptions {
  readonly intervalUs: Us
  /** From so many restarts of its containers on a pod goes: `podRestartThreshold`. */
  readonly restarts: number
  /** Restarts of init containers count too. */
  readonly includingInitContainers: boolean
  /** Only pods in one of these phases, or with a container that waits for one of these reasons; any, where it is left out. */
  readonly states?: readonly string[]
  /** Namespaces; all others, with `exclude`; all, where it is left out. */
  readonly namespaces?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] }
  readonly protects: {
    /** Pods with an emptyDir or hostPath volume. */
    readonly localStorage: boolean
    /** Pods with a PersistentVolumeClaim. */
    readonly claims: boolean
    /** Pods of system-critical priority. */
    readonly critical: boolean
  }
}

/** system-cluster-critical and above. */
const CRITICAL = 2_000_000_000

/** A descheduler: looks at once and then after every interval, and evicts as disruption budgets allow. */
export function* descheduler(kube: Kube, options: DeschedulerOptions): Task {
  for (;;) {
    yield* pass(kube, options)
    yield* sleep(options.intervalUs)
  }
}

function* pass(kube: Kube, options: DeschedulerOptions): Task {
  const nodes = kube.list(Node).filter((node) => condition(node, 'Ready')?.status === 'True')
  // with one node there is nowhere to go
  if (nodes.length <= 1) return
  const pods = kube.list(Pod)
  for (const node of [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)))
    for (const pod of pods) {
      if (pod.spec.nodeName !== node.metadata.name || !goes(pod, options)) continue
      try {
        yield* kube.evict(keyOf(pod))
      } catch (error) {
        if (!isApiError(error, 'TooManyRequests') && !isApiError(error, 'NotFound')) throw error
      }
    }
}

const goes = (pod: o.Pod, options: DeschedulerOptions): boolean =>
  isActive(pod) && isMeant(pod, options) && isEvictable(pod, options) && restartsOf(pod, options) >= options.restarts

function isMeant({ metadata, status }: o.Pod, { namespaces, states, includingInitContainers }: DeschedulerOptions) {
  const namespace = metadata.namespace ?? ''
  if (namespaces?.include && !namespaces.include.includes(namespace)) return false
  if (namespaces?.exclude?.includes(namespace)) return false
  if (!states || states.length === 0 || states.includes(status.phase ?? '')) return true
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(includingInitContainers ? (status.initContainerStatuses ?? []) : []),
  ]
  return statuses.some(({ state }) => state.waiting && states.includes(state.waiting.reason ?? ''))
}

function isEvictable(pod: o.Pod, { protects }: DeschedulerOptions): boolean {
  const owner = controllerOf(pod)
  if (!owner || owner.kind === 'DaemonSet') return false
  const { volumes = [], priority = 0 } = pod.spec
  if (protects.critical && priority >= CRITICAL) return false
  if (protects.localStorage && volumes.some(({ emptyDir, hostPath }) => emptyDir || hostPath)) return false
  return !(protects.claims && volumes.some((volume) => volume.persistentVolumeClaim))
}

function restartsOf({ status }: o.Pod, { includingInitContainers }: DeschedulerOptions): number {
  const sum = (statuses: readonly o.ContainerStatus[] = []) =>
    statuses.reduce((total, { restartCount }) => total + restartCount, 0)
  return sum(status.containerStatuses) + (includingInitContainers ? sum(status.initContainerStatuses) : 0)
}
