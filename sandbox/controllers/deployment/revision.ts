import type * as o from '../../kube/objects.ts'
import { maxSurgeOf } from './fenceposts.ts'
import { byCreation, type Compare } from './replica-counts.ts'

// follows pkg/controller/deployment/util/deployment_util.go

const PREFIX = 'deployment.kubernetes.io'
export const REVISION = `${PREFIX}/revision`
const REVISION_HISTORY = `${PREFIX}/revision-history`
export const DESIRED_REPLICAS = `${PREFIX}/desired-replicas`
export const MAX_REPLICAS = `${PREFIX}/max-replicas`
/** Where `extensions/v1beta1` kept its rollback request. */
export const ROLLBACK_TO = 'deprecated.deployment.rollback.to'

/** Annotations of a Deployment that are not its ReplicaSets'. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
])

const HISTORY_LIMIT_CHARS = 2000

type Annotations = Record<string, string>

/** The revision an object carries: 0 without one, undefined when it is not a number. */
export function revisionOf(object: o.KubeObject): number | undefined {
  const text = object.metadata.annotations?.[REVISION]
  if (text === undefined) return 0
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

export const byRevision: Compare = (a, b) => {
  const [of, other] = [revisionOf(a), revisionOf(b)]
  return of === undefined || other === undefined || of === other ? byCreation(a, b) : of - other
}

export const maxRevision = (sets: readonly o.ReplicaSet[]): number =>
  sets.reduce((max, rs) => Math.max(max, revisionOf(rs) ?? 0), 0)

/** The second highest revision: what `rollout undo` goes back to. */
export function lastRevision(sets: readonly o.ReplicaSet[]): number {
  const [, second = 0] = sets
    .map((rs) => revisionOf(rs) ?? 0)
    .sort((a, b) => a - b)
    .reverse()
  return second
}

/**
 * The annotations the new ReplicaSet should have: those of its Deployment, its revision, and the history of the revisions it
 * had before when a rollback brings it back. The same object when nothing changes. Follows SetNewReplicaSetAnnotations.
 */
export function newReplicaSetAnnotations(
  d: o.Deployment,
  before: Annotations | undefined,
  newRevision: number,
  exists: boolean,
): Annotations | undefined {
  const annotations: Annotations = { ...before }
  for (const [key, value] of Object.entries(d.metadata.annotations ?? {}))
    if (!NOT_COPIED.has(key)) annotations[key] = value
  const revision = before?.[REVISION]
  if (!revision || /^[+-]?\d+$/.test(revision)) {
    if (Number(revision ?? 0) < newRevision) {
      annotations[REVISION] = String(newRevision)
      if (revision !== undefined) extendHistory(annotations, revision)
    }
    if (!exists) Object.assign(annotations, replicasAnnotations(d))
  }
  const same = before && Object.keys(annotations).every((key) => annotations[key] === before[key])
  return same || (!before && Object.keys(annotations).length === 0) ? before : annotations
}

/** What a scaled ReplicaSet is annotated with, so that a change of the Deployment's size can be told from a rollout. */
export const replicasAnnotations = (d: o.Deployment): Annotations => ({
  [DESIRED_REPLICAS]: String(d.spec.replicas),
  [MAX_REPLICAS]: String(d.spec.replicas + maxSurgeOf(d)),
})

/** A non-negative 32-bit integer in an annotation. */
export function countIn(rs: o.ReplicaSet, annotation: string): number | undefined {
  const text = rs.metadata.annotations?.[annotation]
  if (text === undefined || !/^\d+$/.test(text)) return undefined
  const value = Number(text)
  return value < 2 ** 31 ? value : undefined
}

/** The annotations of a Deployment rolled back to a ReplicaSet. Follows SetDeploymentAnnotationsTo. */
export const annotationsOfRollback = (d: o.Deployment, rs: o.ReplicaSet): Annotations => ({
  ...Object.fromEntries(Object.entries(d.metadata.annotations ?? {}).filter(([key]) => NOT_COPIED.has(key))),
  ...Object.fromEntries(Object.entries(rs.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key))),
})

/** Appends a revision; the oldest make room for it. */
function extendHistory(annotations: Annotations, revision: string): void {
  const history = annotations[REVISION_HISTORY] ? annotations[REVISION_HISTORY].split(',') : []
  let length = history.join(',').length + (history.length > 0 ? 1 : 0) + revision.length
  while (length > HISTORY_LIMIT_CHARS && history.length > 0) length -= history.shift()!.length + 1
  if (length <= HISTORY_LIMIT_CHARS) annotations[REVISION_HISTORY] = [...history, revision].join(',')
}
