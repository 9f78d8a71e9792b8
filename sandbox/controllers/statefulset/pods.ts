import { ApiError, isApiError } from '../../kube/errors.ts'
import { keyOf, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import type { ControllerContext } from '../controller.ts'
import { RetryError } from '../retry.ts'
import { applyRetention, claimsMatchRetention, createClaims } from './claims.ts'
import { identityMatches, storageMatches, withIdentity, withStorage } from './identity.ts'

// follows pkg/controller/statefulset/stateful_pod_control.go

type Verb = 'create' | 'update' | 'delete'

/** Makes the pod after its claims. */
export function* createStatefulPod(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  const { kube, consistency } = context
  yield* recorded(context, set, pod, 'create', createClaims(context, set, pod))
  const { status: _, ...draft } = pod
  let failure: ApiError | undefined
  try {
    const made = yield* kube.create(Pod, draft)
    consistency.wrote({ key: keyOf(set), uid: set.metadata.uid }, Pod, made)
  } catch (error) {
    if (!(error instanceof ApiError) || isApiError(error, 'AlreadyExists')) throw error
    failure = error
  }
  yield* recorded(context, set, pod, 'update', applyRetention(context, set, pod))
  record(context, set, pod, 'create', failure)
  if (failure) throw failure
}

/** Makes the claims of a pod that waits for them, and gives them their owners. */
export function* makeMissingClaims(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  yield* createClaims(context, set, pod)
  yield* recorded(context, set, pod, 'update', applyRetention(context, set, pod))
}

/** Gives a pod its identity and its volumes, and its claims their owners, as far as they are not so already. */
export function* updateStatefulPod(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  const { kube, consistency } = context
  const named = identityMatches(set, pod) ? pod : withIdentity(set, pod)
  const mended = storageMatches(set, named) ? named : withStorage(set, named)
  const step = (task: Task) => recorded(context, set, mended, 'update', task)
  if (mended !== named) yield* step(createClaims(context, set, mended))
  if (!claimsMatchRetention(context, set, mended)) yield* step(applyRetention(context, set, mended))
  else if (mended === pod) return
  yield* step(
    (function* () {
      const written = yield* kube.update(Pod, mended)
      consistency.wrote({ key: keyOf(set), uid: set.metadata.uid }, Pod, written)
    })(),
  )
  record(context, set, mended, 'update', undefined)
}

/** A pod that is gone already counts as deleted. */
export function* deleteStatefulPod(context: ControllerContext, set: o.StatefulSet, pod: o.Pod): Task {
  try {
    yield* context.kube.delete(Pod, keyOf(pod))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (!isApiError(error, 'NotFound')) {
      record(context, set, pod, 'delete', error)
      throw error
    }
  }
  record(context, set, pod, 'delete', undefined)
}

/** Runs a step of making or changing a pod; its failure is told of as the pod's. */
function* recorded(context: ControllerContext, set: o.StatefulSet, pod: o.Pod, verb: Verb, step: Task): Task {
  try {
    yield* step
  } catch (error) {
    if (error instanceof ApiError || error instanceof RetryError) record(context, set, pod, verb, error)
    throw error
  }
}

function record({ kube }: ControllerContext, set: o.StatefulSet, pod: o.Pod, verb: Verb, error: Error | undefined) {
  const title = verb[0]!.toUpperCase() + verb.slice(1)
  const about = `${title} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
  if (!error) kube.event(set, 'Normal', `Successful${title}`, `${about} successful`)
  else kube.event(set, 'Warning', `Failed${title}`, `${about} failed error: ${error.message}`)
}
