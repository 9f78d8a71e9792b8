import { equal } from '../journal/merge-patch.ts'
import { isApiError } from '../kube/errors.ts'
import { keyOf, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { sleep, type Task } from '../world/actor.ts'
import { ms, toRfc3339, type Us } from '../world/time.ts'

export interface StatusChange {
  readonly condition?: Pick<o.Condition, 'type' | 'status' | 'reason' | 'message'>
  /** '' takes the promise back; undefined leaves it. */
  readonly nominatedNodeName?: string
}

const ATTEMPTS = 4
const RETRY_AFTER: Us = ms(10)

/**
 * Writes one condition and the promised node, and nothing else, to a pod's status; sends nothing when they are so already.
 * Conditions are merged into the version last seen, and again into the server's where that has moved on: upstream's strategic
 * patch does that on the server. Fails with an ApiError. Follows pkg/scheduler/util/utils.go PatchPodStatus.
 */
export function* patchPodStatus(kube: Kube, pod: o.Pod, change: StatusChange, now: () => Us): Task {
  let base = pod
  for (let attempt = 1; ; attempt++) {
    const status = changed(base, change, now())
    if (!status) return
    const { uid, resourceVersion } = base.metadata
    try {
      yield* kube.patch(Pod, keyOf(pod), { metadata: { uid, resourceVersion }, status }, { subresource: 'status' })
      return
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt === ATTEMPTS) throw error
      yield* sleep(RETRY_AFTER)
      base = yield* kube.read(Pod, keyOf(pod))
      if (base.metadata.uid !== uid) throw error
    }
  }
}

/** The patch of the status; undefined when nothing changes. */
function changed(
  pod: o.Pod,
  { condition, nominatedNodeName }: StatusChange,
  now: Us,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  if (nominatedNodeName !== undefined && (pod.status?.nominatedNodeName ?? '') !== nominatedNodeName)
    patch['nominatedNodeName'] = nominatedNodeName === '' ? null : nominatedNodeName
  if (condition) {
    const conditions = pod.status?.conditions ?? []
    const known = conditions.find(({ type }) => type === condition.type)
    const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime : toRfc3339(now)
    const { generation } = pod.metadata
    const wanted = { ...condition, lastTransitionTime, ...(generation && { observedGeneration: generation }) }
    if (!known) patch['conditions'] = [...conditions, wanted]
    else if (!equal(known, wanted)) patch['conditions'] = conditions.map((c) => (c === known ? wanted : c))
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}
