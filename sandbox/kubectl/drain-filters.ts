import { ApiError, isApiError } from '../kube/errors.ts'
import { controllerOf } from '../kube/indexes.ts'
import { DaemonSet } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { isFinished } from '../kube/pods.ts'
import type { Task } from '../world/actor.ts'
import { fromRfc3339, seconds, type Us } from '../world/time.ts'

// follows k8s.io/kubectl/pkg/drain/filters.go

/** What decides which pods a drain may send away. */
export interface DrainFlags {
  readonly force?: boolean
  readonly ignoreDaemonSets?: boolean
  readonly deleteEmptyDirData?: boolean
  readonly skipWaitForDeleteTimeoutSeconds?: number
}

/** What is to be done with a pod. `problem`: the drain must not begin. */
interface Verdict {
  readonly goes: boolean
  readonly warning?: string
  readonly problem?: string
}

export interface Selection {
  readonly pods: readonly o.Pod[]
  /** One text a sort of warning, with the pods it is about. */
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
}

/** Sorts a node's pods into those that go and those that stay or forbid the drain. */
export function* selectPods(kube: Kube, pods: readonly o.Pod[], flags: DrainFlags, now: Us): Task<Selection> {
  const going: o.Pod[] = []
  const warnings = new Map<string, string[]>()
  const problems = new Map<string, string[]>()
  for (const pod of pods) {
    const { goes, warning, problem } = yield* verdictOn(kube, pod, flags, now)
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`
    if (goes) going.push(pod)
    if (warning !== undefined) note(warnings, warning, name)
    if (problem !== undefined) note(problems, `cannot delete ${problem}`, name)
  }
  return { pods: going, warnings: texts(warnings), problems: texts(problems) }
}

/** The first filter that keeps a pod decides; of several warnings the last stays. */
function* verdictOn(kube: Kube, pod: o.Pod, flags: DrainFlags, now: Us): Task<Verdict> {
  if (isLongDeleted(pod, flags.skipWaitForDeleteTimeoutSeconds, now)) return { goes: false }
  const ofDaemonSet = yield* daemonSetVerdict(kube, pod, flags)
  if (!ofDaemonSet.goes) return ofDaemonSet
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return { goes: false }
  if (isFinished(pod)) return { goes: true }
  const storesLocally = pod.spec.volumes?.some((volume) => volume['emptyDir'])
  if (storesLocally && !flags.deleteEmptyDirData)
    return { goes: false, problem: 'Pods with local storage (use --delete-emptydir-data to override)' }
  if (controllerOf(pod)) return { goes: true }
  return flags.force
    ? { goes: true, warning: 'deleting Pods that declare no controller' }
    : { goes: false, problem: 'Pods that declare no controller (use --force to override)' }
}

function* daemonSetVerdict(kube: Kube, pod: o.Pod, flags: DrainFlags): Task<Verdict> {
  const owner = controllerOf(pod)
  if (owner?.kind !== DaemonSet.kind || owner.apiVersion !== DaemonSet.apiVersion || isFinished(pod))
    return { goes: true }
  try {
    yield* kube.read(DaemonSet, `${pod.metadata.namespace}/${owner.name}`)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const orphaned = isApiError(error, 'NotFound') && flags.force
    return orphaned ? { goes: true, warning: error.message } : { goes: false, problem: error.message }
  }
  return flags.ignoreDaemonSets
    ? { goes: false, warning: 'ignoring DaemonSet-managed Pods' }
    : { goes: false, problem: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' }
}

/** Whether a pod has been going for so long that nobody waits for it. */
export function isLongDeleted({ metadata }: o.Pod, afterSeconds: number | undefined, now: Us): boolean {
  if (!afterSeconds || !metadata.deletionTimestamp) return false
  return Math.trunc((now - fromRfc3339(metadata.deletionTimestamp)) / seconds(1)) > afterSeconds
}

function note(found: Map<string, string[]>, text: string, pod: string): void {
  found.set(text, [...(found.get(text) ?? []), pod])
}

const texts = (found: ReadonlyMap<string, readonly string[]>): string[] =>
  [...found].map(([text, pods]) => `${text}: ${pods.join(', ')}`)
