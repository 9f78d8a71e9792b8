import { conflict } from '../kube/errors.ts'
import type { Condition, Pod } from '../kube/objects.ts'
import { toRfc3339, type Us } from '../world/time.ts'

/** A pod assigned to a node. Throws Conflict when it may not be. Follows pkg/registry/core/pod/storage/storage.go assignPod. */
export function boundTo(pod: Pod, nodeName: string, now: Us): Pod {
  const { name, deletionTimestamp } = pod.metadata
  const refuse = (why: string) => conflict('pods/binding', name, why)
  if (deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  const { nominatedNodeName: _, ...status } = pod.status
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...status, conditions: scheduled(status.conditions ?? [], now) },
  }
}

function scheduled(conditions: readonly Condition[], now: Us): Condition[] {
  const at = conditions.findIndex((condition) => condition.type === 'PodScheduled')
  const made: Condition = { type: 'PodScheduled', status: 'True', lastTransitionTime: toRfc3339(now) }
  if (at < 0) return [...conditions, made]
  const old = conditions[at]!
  if (old.status === 'True') made.lastTransitionTime = old.lastTransitionTime
  return conditions.map((condition, i) => (i === at ? made : condition))
}
