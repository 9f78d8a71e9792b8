import { fromRfc3339, seconds, type Us } from '../world/time.ts'
import type { Condition, Pod } from './objects.ts'

// follows pkg/api/v1/pod/util.go and pkg/controller/controller_utils.go

export const condition = (object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined =>
  object.status?.conditions?.find((c) => c.type === type)

export const isReady = (pod: Pod): boolean => condition(pod, 'Ready')?.status === 'True'

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: Us): boolean {
  const ready = condition(pod, 'Ready')
  if (ready?.status !== 'True') return false
  if (minReadySeconds === 0) return true
  return (
    ready.lastTransitionTime !== undefined && fromRfc3339(ready.lastTransitionTime) + seconds(minReadySeconds) <= now
  )
}

export const isFinished = (pod: Pod): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'

/** Neither finished nor being deleted. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp

/** Being deleted, and not finished yet. */
export const isTerminating = (pod: Pod): boolean => !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined
