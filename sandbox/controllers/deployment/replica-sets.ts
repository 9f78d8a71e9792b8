import { ApiError, isApiError } from '../../kube/errors.ts'
import { controllerOf } from '../../kube/indexes.ts'
import { ReplicaSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { controllerRef } from '../claim.ts'
import { newReplicasOf } from './fenceposts.ts'
import { byCreation } from './replica-counts.ts'
import { maxRevision, newReplicaSetAnnotations, REVISION } from './revision.ts'
import { replicaSetName, sameTemplate, TEMPLATE_HASH, templateHash } from './template-hash.ts'
import { hasProgressDeadline, type Pass, progressing, setProgressing, writeStatus } from './working-copy.ts'

/** A Deployment's ReplicaSets: the one with its present template, if there is one, and the others. */
export interface Sets {
  readonly current: o.ReplicaSet | undefined
  readonly old: readonly o.ReplicaSet[]
  /** The old ones, then the current. */
  readonly all: readonly o.ReplicaSet[]
}

/**
 * Tells new from old and brings revision annotations up to date; makes the new one when asked to.
 * Follows getAllReplicaSetsAndSyncRevision in pkg/controller/deployment/sync.go.
 */
export function* syncSets(pass: Pass, owned: readonly o.ReplicaSet[], create: boolean): Task<Sets> {
  const sorted = [...owned].sort(byCreation)
  // of several with the same template the oldest is the one
  const existing = sorted.find((rs) => sameTemplate(rs.spec.template, pass.d.spec.template))
  const old = sorted.filter((rs) => rs !== existing)
  const revision = maxRevision(old) + 1
  let current: o.ReplicaSet | undefined
  if (existing) current = yield* updateExisting(pass, existing, revision)
  else if (create) current = yield* createNew(pass, old, revision)
  return setsOf(current, old)
}

const setsOf = (current: o.ReplicaSet | undefined, old: readonly o.ReplicaSet[]): Sets => ({
  current,
  old,
  all: current ? [...old, current] : old,
})

// follows getNewReplicaSet in pkg/controller/deployment/sync.go, its first half
function* updateExisting(pass: Pass, rs: o.ReplicaSet, revision: number): Task<o.ReplicaSet> {
  const { d, context } = pass
  const annotations = newReplicaSetAnnotations(d, rs.metadata.annotations, revision, true)
  const { minReadySeconds } = d.spec
  if (annotations !== rs.metadata.annotations || (rs.spec.minReadySeconds ?? 0) !== (minReadySeconds ?? 0))
    return yield* context.kube.update(ReplicaSet, {
      ...rs,
      metadata: { ...rs.metadata, annotations },
      spec: { ...rs.spec, minReadySeconds },
    })
  let changed = setRevision(d, annotations?.[REVISION] ?? '')
  if (hasProgressDeadline(d) && !progressing(d.status)) {
    setProgressing(pass, 'True', 'FoundNewReplicaSet', `Found new replica set "${rs.metadata.name}"`)
    changed = true
  }
  if (changed) yield* writeStatus(pass)
  return rs
}

// the second half of getNewReplicaSet
function* createNew(pass: Pass, old: readonly o.ReplicaSet[], revision: number): Task<o.ReplicaSet> {
  const { d, context } = pass
  const { kube } = context
  const draft = draftOf(d, old, revision)
  const { name } = draft.metadata
  let created: o.ReplicaSet
  try {
    created = yield* kube.create(ReplicaSet, draft)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) {
      yield* reportFailure(pass, name, error)
      throw error
    }
    const known = kube.get(ReplicaSet, `${d.metadata.namespace}/${name}`)
    const isOurs = known && controllerOf(known)?.uid === d.metadata.uid
    if (!isOurs || !sameTemplate(d.spec.template, known.spec.template)) {
      if (known) yield* countCollision(pass)
      throw error
    }
    // our own, made by a pass whose result the cache had not seen when this pass began
    if (setRevision(d, String(revision))) yield* writeStatus(pass)
    return known
  }
  const { replicas } = draft.spec
  if (replicas > 0) kube.event(d, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
  let changed = setRevision(d, String(revision))
  if (hasProgressDeadline(d)) {
    setProgressing(pass, 'True', 'NewReplicaSetCreated', `Created new replica set "${name}"`)
    changed = true
  }
  if (changed) yield* writeStatus(pass)
  return created
}

type DraftReplicaSet = Pick<o.ReplicaSet, 'apiVersion' | 'kind' | 'spec'> & {
  metadata: Pick<o.ObjectMeta, 'name' | 'namespace' | 'labels' | 'annotations' | 'ownerReferences'>
}

function draftOf(d: o.Deployment, old: readonly o.ReplicaSet[], revision: number): DraftReplicaSet {
  const { template, selector, minReadySeconds } = d.spec
  const hash = templateHash(template, d.status.collisionCount)
  const labels = { ...template.metadata.labels, [TEMPLATE_HASH]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      // the name follows from the template, so that making it twice is seen
      name: replicaSetName(d.metadata.name, hash),
      namespace: d.metadata.namespace,
      labels,
      annotations: newReplicaSetAnnotations(d, undefined, revision, false),
      ownerReferences: [controllerRef(d)],
    },
    spec: {
      replicas: newReplicasOf(d, old, 0),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** Another template has the same hash: the next try uses another. */
function* countCollision(pass: Pass): Task {
  const { status } = pass.d
  status.collisionCount = (status.collisionCount ?? 0) + 1
  yield* tryToWriteStatus(pass)
}

function* reportFailure(pass: Pass, name: string, error: unknown): Task {
  const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`
  if (hasProgressDeadline(pass.d)) {
    setProgressing(pass, 'False', 'ReplicaSetCreateError', message)
    yield* tryToWriteStatus(pass)
  }
  pass.context.kube.event(pass.d, 'Warning', 'ReplicaSetCreateError', message)
}

/** The error that led here is the one to report, not this write's. */
function* tryToWriteStatus(pass: Pass): Task {
  try {
    yield* writeStatus(pass)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

function setRevision(d: o.Deployment, revision: string): boolean {
  const annotations = d.metadata.annotations!
  if (annotations[REVISION] === revision) return false
  annotations[REVISION] = revision
  return true
}
