import { keyOf, Pod as PodKind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Pod, PodStatus } from '../kube/objects.ts'
import type { World } from '../world/world.ts'
import type { KubeletContext } from './kubelet-context.ts'

/**
 * What a kubelet sends of its pods. `full`: all that upstream's does, seven requests until a pod runs. `least`: what makes others act, mostly
 * one. Its Normal Events stay in the journal, a pod is not told of while it is only being started, and its status is patched by what
 * the cache holds, under the version it holds, instead of after a read.
 */
export type Traffic = 'full' | 'least'

/** How the kubelet tells of its pods. */
export function eventsOf(kube: Kube, world: World, traffic: Traffic | undefined): KubeletContext['event'] {
  if (traffic !== 'least') return (pod, level, reason, message) => kube.event(pod, level, reason, message)
  return (pod, level, reason, message) => {
    if (level === 'Warning') kube.event(pod, level, reason, message)
    else world.journal.append({ type: 'event', by: kube.process, level, reason, message, kind: 'Pod', key: keyOf(pod) })
  }
}

/** Whether a status says no more than that all goes well so far. */
export const isStarting = ({ phase, initContainerStatuses = [], containerStatuses = [] }: PodStatus): boolean =>
  phase === 'Pending' &&
  [...initContainerStatuses, ...containerStatuses].every(
    ({ state, restartCount }) => restartCount === 0 && (!state.waiting || STARTING.has(state.waiting.reason ?? '')),
  )

const STARTING: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing'])

/** The pod to patch the status of, and what keeps the patch from being laid over a newer one. */
export function knownPod(kube: Kube, key: string, uid: string): Pod | undefined {
  const known = kube.get(PodKind, key)
  return known?.metadata.uid === uid ? known : undefined
}
