import { ApiError, isApiError } from '../kube/errors.ts'
import { type Kind, keyOf, Pod } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import type { Task } from '../world/actor.ts'

type Owner = o.KubeObject & { spec: { template: o.PodTemplateSpec } }

/** The owner reference a controller puts on what it makes. */
export const controllerRef = (owner: o.KubeObject): o.OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

/** A pod made from a template, and the Event that says so. Follows RealPodControl in pkg/controller/controller_utils.go. */
export function* createPod(kube: Kube, owner: Owner): Task<o.Pod> {
  const { template } = owner.spec
  try {
    const pod = yield* kube.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        // names are cut so that the five letters of the server fit (k8s.io/apiserver/pkg/storage/names)
        generateName: `${owner.metadata.name}-`.slice(0, 58),
        namespace: owner.metadata.namespace,
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        ownerReferences: [controllerRef(owner)],
      },
      spec: template.spec,
    })
    kube.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    return pod
  } catch (error) {
    if (error instanceof ApiError) kube.event(owner, 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    throw error
  }
}

/** Deletes a pod; one that is gone already is fine. */
export function* deletePod(kube: Kube, owner: o.KubeObject, pod: o.Pod): Task {
  try {
    yield* kube.delete(Pod, keyOf(pod))
    kube.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    if (isApiError(error, 'NotFound')) throw error
    if (error instanceof ApiError) kube.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`)
    throw error
  }
}

/** Makes `owner` the controller of a pod nobody controls. Fails with Conflict when the pod has changed hands. */
export function* adoptPod(kube: Kube, owner: o.KubeObject, pod: o.Pod): Task<o.Pod> {
  return yield* kube.patch(Pod as Kind<o.Pod>, keyOf(pod), {
    metadata: {
      uid: pod.metadata.uid,
      ownerReferences: [...(pod.metadata.ownerReferences ?? []), controllerRef(owner)],
    },
  })
}

/** Lets go of a pod that no longer matches. */
export function* releasePod(kube: Kube, owner: o.KubeObject, pod: o.Pod): Task {
  const ownerReferences = (pod.metadata.ownerReferences ?? []).filter((ref) => ref.uid !== owner.metadata.uid)
  try {
    yield* kube.patch(Pod as Kind<o.Pod>, keyOf(pod), {
      metadata: { uid: pod.metadata.uid, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null },
    })
  } catch (error) {
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Invalid')) throw error
  }
}
