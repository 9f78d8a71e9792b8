import { isApiError } from '../kube/errors.ts'
import { keyOf, VolumeAttachment } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from './controller.ts'

/** What is taken of a driver: how long a volume takes to come to a node and to leave it. Assumed until somebody gives it. */
export interface AttachAssumptions {
  readonly attachTakes: Us
  readonly detachTakes: Us
}

export const attachAssumptions: AttachAssumptions = { attachTakes: seconds(5), detachTakes: seconds(5) }

/** --worker-threads */
const WORKERS = 10

/**
 * Does what VolumeAttachments ask for: the csi-attacher beside a driver, one for all drivers. An attachment is kept by a finalizer until its
 * volume has left the node. Follows kubernetes-csi/external-attacher pkg/controller/csi_handler.go.
 */
export function csiAttacher(assumed: Partial<AttachAssumptions> = {}): ControllerSpec {
  const takes = { ...attachAssumptions, ...assumed }
  return controller({
    name: 'csi-attacher',
    workers: WORKERS,
    watches: [
      watching(VolumeAttachment, ({ queue }) => ({
        added: (attachment) => queue.add(keyOf(attachment)),
        updated: (before, after) => {
          if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) queue.add(keyOf(after))
        },
      })),
    ],
    *reconcile(key, context) {
      const attachment = context.kube.get(VolumeAttachment, key)
      if (!attachment) return
      if (attachment.metadata.deletionTimestamp) yield* detach(attachment, takes, context)
      else if (!attachment.status?.attached) yield* attach(attachment, takes, context)
    },
  })
}

function* attach(
  { metadata: { name, finalizers = [] }, spec }: o.VolumeAttachment,
  { attachTakes }: AttachAssumptions,
  { kube }: ControllerContext,
): Task {
  const own = finalizerOf(spec.attacher)
  yield* unlessGone(function* () {
    if (!finalizers.includes(own))
      yield* kube.patch(VolumeAttachment, name, { metadata: { finalizers: [...finalizers, own] } })
    yield* sleep(attachTakes)
    yield* kube.patch(VolumeAttachment, name, { status: { attached: true } }, { subresource: 'status' })
  })
}

function* detach(
  { metadata: { name, finalizers = [] }, spec }: o.VolumeAttachment,
  { detachTakes }: AttachAssumptions,
  { kube }: ControllerContext,
): Task {
  const own = finalizerOf(spec.attacher)
  if (!finalizers.includes(own)) return
  yield* sleep(detachTakes)
  const left = finalizers.filter((one) => one !== own)
  yield* unlessGone(function* () {
    yield* kube.patch(VolumeAttachment, name, { metadata: { finalizers: left.length > 0 ? left : null } })
  })
}

/** Follows GetFinalizerName. */
const finalizerOf = (driver: string): string => `external-attacher/${driver.replaceAll(/[^A-Za-z0-9]/g, '-')}`

function* unlessGone(work: () => Task): Task {
  try {
    yield* work()
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
