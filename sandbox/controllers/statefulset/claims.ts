import { ApiError, isApiError } from '../../kube/errors.ts'
import { keyOf, PersistentVolumeClaim } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { controllerRef } from '../claim.ts'
import type { ControllerContext } from '../controller.ts'
import { RetryError } from '../retry.ts'
import { claimName, inOrdinalRange, ordinalOf } from './identity.ts'

// follows pkg/controller/statefulset/stateful_pod_control.go and stateful_set_utils.go

type Claim = o.PersistentVolumeClaim
type Draft = o.Draft<Claim> & { metadata: { name: string } }

/** The claims a pod needs, in the order of the templates. */
function claimsOf(set: o.StatefulSet, pod: o.Pod): Draft[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata,
      name: claimName(set, metadata.name, ordinalOf(pod)),
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }))
}

const held = ({ kube }: ControllerContext, set: o.StatefulSet, { metadata: { name } }: Draft): Claim | undefined =>
  kube.get(PersistentVolumeClaim, `${set.metadata.namespace}/${name}`)

/** Makes the claims of a pod that are not there. Throws when one cannot be made or is being deleted. */
export function* createClaims(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  const { kube, consistency } = context
  const failures: string[] = []
  for (const draft of claimsOf(set, pod)) {
    const { name } = draft.metadata
    const there = held(context, set, draft)
    if (there?.metadata.deletionTimestamp) failures.push(`pvc ${name} is being deleted`)
    if (there) continue
    try {
      const made = yield* kube.create(PersistentVolumeClaim, draft)
      consistency.wrote({ key: keyOf(set), uid: set.metadata.uid }, PersistentVolumeClaim, made)
      const message = `Create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} success`
      kube.event(set, 'Normal', 'SuccessfulCreate', message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failures.push(`failed to create PVC ${name}: ${error.message}`)
      if (isApiError(error, 'AlreadyExists')) continue
      const about = `Create Claim ${name} for Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
      kube.event(set, 'Warning', 'FailedCreate', `${about} failed error: ${error.message}`)
    }
  }
  if (failures.length > 0) throw new RetryError(failures.length === 1 ? failures[0]! : `[${failures.join(', ')}]`)
}

/** Whether a claim still belongs to an earlier pod of this name, so that it is about to be deleted. */
export function isClaimStale(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): boolean {
  if (retention(set).whenScaled === 'Retain') return false
  return claimsOf(set, pod).some((draft) => {
    const there = held(context, set, draft)
    return there !== undefined && hasStaleOwner(there, pod)
  })
}

/** Whether the owners of the pod's claims are what the retention policy wants. */
export const claimsMatchRetention = (context: ControllerContext, set: o.StatefulSet, pod: o.Pod): boolean =>
  (set.spec.volumeClaimTemplates ?? []).length === 0 ||
  claimsOf(set, pod).every((draft) => {
    const there = held(context, set, draft)
    return !there || isOwnerUpToDate(there, set, pod)
  })

/** Brings the owners of the pod's claims to what the retention policy wants. */
export function* applyRetention(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  const { kube, consistency } = context
  for (const draft of claimsOf(set, pod)) {
    const there = held(context, set, draft)
    if (!there) continue
    if (hasUnexpectedController(there, set, pod)) {
      const what = `PersistentVolumeClaim ${there.metadata.name} has a conflicting OwnerReference`
      const message = `${what} that acts as a manging controller, the retention policy is ignored for this claim`
      kube.event(set, 'Warning', 'ConflictingController', message)
    }
    if (isOwnerUpToDate(there, set, pod)) continue
    const ownerReferences = wantedOwners(there, set, pod)
    const { ownerReferences: _, ...metadata } = there.metadata
    const changed = { ...there, metadata: ownerReferences.length > 0 ? { ...metadata, ownerReferences } : metadata }
    const written = yield* kube.update(PersistentVolumeClaim, changed)
    consistency.wrote({ key: keyOf(set), uid: set.metadata.uid }, PersistentVolumeClaim, written)
  }
}

const retention = (set: o.StatefulSet) =>
  set.spec.persistentVolumeClaimRetentionPolicy ?? { whenDeleted: 'Retain', whenScaled: 'Retain' }

const owners = (claim: Claim): readonly o.OwnerReference[] => claim.metadata.ownerReferences ?? []
const names = (ref: o.OwnerReference, { apiVersion, kind, metadata }: o.KubeObject): boolean =>
  ref.apiVersion === apiVersion && ref.kind === kind && ref.name === metadata.name
const isOwnedBy = (claim: Claim, { metadata }: o.KubeObject): boolean =>
  owners(claim).some((ref) => ref.uid === metadata.uid)

function hasStaleOwner(claim: Claim, object: o.KubeObject): boolean {
  const ref = owners(claim).find((one) => names(one, object))
  return ref !== undefined && ref.uid !== object.metadata.uid
}

function hasUnexpectedController(claim: Claim, set: o.StatefulSet, pod: o.Pod): boolean {
  const { whenScaled, whenDeleted } = retention(set)
  if (whenScaled === 'Retain' && whenDeleted === 'Retain') return false
  return owners(claim).some((ref) => {
    const ours = [set, pod].find((object) => names(ref, object))
    return ours ? ref.uid !== ours.metadata.uid : ref.controller === true
  })
}

/** Who should own the claim: the set when deletion of the set takes it, the pod when scaling down does. */
function ownersByPolicy(set: o.StatefulSet, pod: o.Pod): { set: boolean; pod: boolean } {
  const { whenScaled, whenDeleted } = retention(set)
  const scaledDown = whenScaled === 'Delete' && !inOrdinalRange(set, pod)
  return { set: whenDeleted === 'Delete' && !scaledDown, pod: scaledDown }
}

function isOwnerUpToDate(claim: Claim, set: o.StatefulSet, pod: o.Pod): boolean {
  if (hasStaleOwner(claim, set) || hasStaleOwner(claim, pod)) return true
  if (hasUnexpectedController(claim, set, pod)) return !isOwnedBy(claim, set) && !isOwnedBy(claim, pod)
  const uids = [set.metadata.uid, pod.metadata.uid]
  if (owners(claim).some((ref) => uids.includes(ref.uid) && !ref.controller)) return false
  const wanted = ownersByPolicy(set, pod)
  return isOwnedBy(claim, set) === wanted.set && isOwnedBy(claim, pod) === wanted.pod
}

function wantedOwners(claim: Claim, set: o.StatefulSet, pod: o.Pod): o.OwnerReference[] {
  const others = owners(claim).filter((ref) => !names(ref, set) && !names(ref, pod))
  if (hasUnexpectedController(claim, set, pod)) return others
  const wanted = ownersByPolicy(set, pod)
  return [...others, ...(wanted.set ? [controllerRef(set)] : []), ...(wanted.pod ? [controllerRef(pod)] : [])]
}
