import { ApiError, isApiError } from '../kube/errors.ts'
import { keyOf, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import type { Task } from '../world/actor.ts'
import { controllerRef } from './claim.ts'

type Owner = o.KubeObject & { spec: { template: o.PodTemplateSpec } }

/** `generateName` for what an owner makes: cut so that the five letters of the server fit (k8s.io/apiserver/pkg/storage/names). */
export const generateNameOf = (ownerName: string): string => `${ownerName}-`.slice(0, 58)

/** A pod made from a template, and the Event that says so. Follows RealPodControl in pkg/controller/controller_utils.go. */
export function* createPod(kube: Kube, owner: Owner): Task<o.Pod> {
  const { template } = owner.spec
  return yield* reportCreation(
    kube,
    owner,
    kube.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: generateNameOf(owner.metadata.name),
        namespace: owner.metadata.namespace,
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        ownerReferences: [controllerRef(owner)],
      },
      spec: template.spec,
    }),
  )
}

/** The creation of a pod with the Event that says so, or that it failed. */
export function* reportCreation(kube: Kube, owner: o.KubeObject, creation: Task<o.Pod>): Task<o.Pod> {
  try {
    const pod = yield* creation
    kube.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    return pod
  } catch (error) {
    if (error instanceof ApiError) kube.event(owner, 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    throw error
  }
}

/** Deletes a pod, and the Event that says so. Fails with NotFound, without an Event, when it is gone already. */
export function* deletePod(kube: Kube, owner: o.KubeObject, pod: o.Pod): Task {
  try {
    yield* kube.delete(Pod, keyOf(pod))
    kube.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    if (error instanceof ApiError && !isApiError(error, 'NotFound'))
      kube.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`)
    throw error
  }
}
