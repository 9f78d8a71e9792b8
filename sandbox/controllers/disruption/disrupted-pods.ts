import type * as o from '../../kube/objects.ts'
import { fromRfc3339, minutes, type Us } from '../../world/time.ts'
import { factsOf } from '../pod-facts.ts'

// follows pkg/controller/disruption/disruption.go

/** How long an evicted pod may take to be seen as being deleted. */
const DELETION_TIMEOUT: Us = minutes(2)

/** The pods whose eviction was let through and that are not seen to be deleted yet. */
export interface Disrupted {
  readonly disrupted: Readonly<Record<string, string>>
  /** Those that should have been deleted by now: they are not waited for any longer. */
  readonly overdue: readonly o.Pod[]
  /** When the first of them will be overdue. */
  readonly nextAt: Us | undefined
}

/** Follows buildDisruptedPodMap. */
export function disruptedPods({ status }: o.PodDisruptionBudget, pods: readonly o.Pod[], now: Us): Disrupted {
  const known = status.disruptedPods
  if (!known) return NONE
  const disrupted: Record<string, string> = {}
  const overdue: o.Pod[] = []
  let nextAt: Us | undefined
  for (const pod of pods) {
    const since = known[pod.metadata.name]
    if (since === undefined || pod.metadata.deletionTimestamp) continue
    const due = fromRfc3339(since) + DELETION_TIMEOUT
    if (due < now) {
      overdue.push(pod)
      continue
    }
    disrupted[pod.metadata.name] = since
    if (nextAt === undefined || due < nextAt) nextAt = due
  }
  return { disrupted, overdue, nextAt }
}

const NONE: Disrupted = { disrupted: {}, overdue: [], nextAt: undefined }

/** Ready pods that nobody has sent away. Follows countHealthyPods. */
export function healthyPods(pods: readonly o.Pod[], disrupted: Readonly<Record<string, string>>, now: Us): number {
  let healthy = 0
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp || !factsOf(pod).ready) continue
    const since = disrupted[pod.metadata.name]
    if (since === undefined || fromRfc3339(since) + DELETION_TIMEOUT <= now) healthy++
  }
  return healthy
}
