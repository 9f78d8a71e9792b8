import { Deployment } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { toRfc3339 } from '../../world/time.ts'
import { findCondition, setCondition } from '../conditions.ts'
import type { ControllerContext } from '../controller.ts'

/**
 * One pass over a Deployment: a copy whose status and annotations may be changed, as upstream changes its deep copy. Its
 * version stays the one that was read, so a pass that writes the status twice meets a conflict the second time and starts
 * over, as upstream's does.
 */
export interface Pass {
  readonly d: o.Deployment
  readonly context: ControllerContext
}

export function workingCopy(deployment: o.Deployment): o.Deployment {
  const { metadata, status } = deployment
  return { ...deployment, metadata: { ...metadata, annotations: { ...metadata.annotations } }, status: { ...status } }
}

export function* writeStatus({ d, context }: Pass): Task<o.Deployment> {
  return yield* context.kube.updateStatus(Deployment, { ...d, metadata: { ...d.metadata }, status: { ...d.status } })
}

/** A condition as of now. */
export function newCondition(
  { context }: Pass,
  type: 'Progressing' | 'Available',
  status: o.Condition['status'],
  reason: string,
  message: string,
): o.Condition {
  const now = toRfc3339(context.now)
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now }
}

/** Sets the Progressing condition of the copy. */
export function setProgressing(pass: Pass, status: o.Condition['status'], reason: string, message: string): void {
  const { d } = pass
  d.status.conditions = setCondition(d.status.conditions, newCondition(pass, 'Progressing', status, reason, message))
}

export const progressing = (status: o.Deployment['status']): o.Condition | undefined =>
  findCondition(status.conditions, 'Progressing')

/** The largest int32: upstream's way to say «none». */
const NONE = 2 ** 31 - 1

export const hasProgressDeadline = ({ spec }: o.Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NONE

export const hasRevisionHistoryLimit = ({ spec }: o.Deployment): boolean =>
  spec.revisionHistoryLimit !== undefined && spec.revisionHistoryLimit !== NONE
