import { isApiError } from '../kube/errors.ts'
import { keyOf, Node, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment } from '../kube/kinds.ts'
import type { Index } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { condition, isFinished } from '../kube/pods.ts'
import {
  attachmentName,
  claimNames,
  claimsByVolume,
  isBound,
  mayAttachToMany,
  needsAttach,
  podsByClaim,
} from '../kube/volumes.ts'
import { all, sleep, type Task } from '../world/actor.ts'
import { minutes, ms, seconds, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from './controller.ts'

/** What is taken of a driver: how long a volume takes to come to a node and to leave it. Assumed until somebody gives it. */
export interface AttachAssumptions {
  readonly attachTakes: Us
  readonly detachTakes: Us
}

export const attachAssumptions: AttachAssumptions = { attachTakes: seconds(5), detachTakes: seconds(5) }

/** How long a volume that a lost node may still have mounted is left to it: maxWaitForUnmountDuration. */
const MAX_WAIT_FOR_UNMOUNT = minutes(6)
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
/** reconcilerLoopPeriod: how soon a volume that cannot be attached is looked at again when nothing is seen to change. */
const LOOP = ms(100)

const attachmentsByVolume: Index<o.VolumeAttachment> = {
  kind: VolumeAttachment,
  name: 'volume',
  values: ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []),
}

/**
 * Attaches the volumes of drivers (`spec.csi`) to the nodes of the pods that use them, and detaches them afterwards; with the
 * csi-attacher beside a driver in one. A volume whose modes allow one node waits until the other node is rid of it. A node is
 * taken to have a volume mounted as long as a pod with it is in the API; of one that is not ready, for six minutes more.
 * Follows pkg/controller/volume/attachdetach/reconciler/reconciler.go.
 */
export function attachDetachController(assumed: Partial<AttachAssumptions> = {}): ControllerSpec {
  const takes = { ...attachAssumptions, ...assumed }
  const memory: Memory = { detachWanted: new Map(), told: new Set() }
  return controller({
    name: 'attachdetach-controller',
    workers: 10,
    watches: [
      watching(Pod, (context) => {
        const queue = (pod: o.Pod) => queueVolumesOf(pod, context)
        return { added: queue, updated: (_, pod) => queue(pod), deleted: queue }
      }),
      watching(PersistentVolumeClaim, ({ queue }) => ({
        updated: (_, claim) => claim.spec.volumeName && queue.add(claim.spec.volumeName),
      })),
      watching(PersistentVolume, ({ queue }) => ({ added: (volume) => queue.add(keyOf(volume)) })),
      watching(VolumeAttachment, ({ queue }) => ({
        added: ({ spec }) => queue.add(spec.source.persistentVolumeName ?? ''),
        deleted: ({ spec }) => queue.add(spec.source.persistentVolumeName ?? ''),
      })),
      watching(Node, (context) => {
        const queue = ({ metadata: { name } }: o.Node) => queueVolumesOn(name, context)
        return { updated: (before, node) => isHealthy(before) !== isHealthy(node) && queue(node), deleted: queue }
      }),
    ],
    *reconcile(name, context) {
      const volume = context.kube.get(PersistentVolume, name)
      const attached = context.kube.indexed(attachmentsByVolume, name)
      if (!(volume && needsAttach(volume)) && attached.length === 0) return
      yield* reconcileVolume(name, volume, attached, { context, takes, memory })
    },
  })
}

interface Memory {
  /** When a volume was first found on a node where nothing wants it, by `volume node`. */
  readonly detachWanted: Map<string, Us>
  /** Volume and node whose Multi-Attach error was told of. */
  readonly told: Set<string>
}

interface Parts {
  readonly context: ControllerContext
  readonly takes: AttachAssumptions
  readonly memory: Memory
}

function queueVolumesOf(pod: o.Pod, { kube, queue }: ControllerContext): void {
  if (!pod.spec.nodeName || !pod.spec.volumes) return
  for (const { claim } of claimNames(pod)) {
    const volume = kube.get(PersistentVolumeClaim, `${pod.metadata.namespace}/${claim}`)?.spec.volumeName
    if (volume) queue.add(volume)
  }
}

function queueVolumesOn(nodeName: string, { kube, queue }: ControllerContext): void {
  for (const { spec } of kube.list(VolumeAttachment))
    if (spec.nodeName === nodeName && spec.source.persistentVolumeName) queue.add(spec.source.persistentVolumeName)
}

/** The running pods that use a volume, by their nodes. */
function usersOf(name: string, { kube }: ControllerContext): Map<string, o.Pod[]> {
  const byNode = new Map<string, o.Pod[]>()
  for (const claim of kube.indexed(claimsByVolume, name)) {
    if (!isBound(claim)) continue
    for (const pod of kube.indexed(podsByClaim, keyOf(claim))) {
      const { nodeName } = pod.spec
      if (!nodeName || isFinished(pod)) continue
      const there = byNode.get(nodeName)
      if (there) there.push(pod)
      else byNode.set(nodeName, [pod])
    }
  }
  return byNode
}

function* reconcileVolume(
  name: string,
  volume: o.PersistentVolume | undefined,
  attached: readonly o.VolumeAttachment[],
  parts: Parts,
): Task {
  const { context, memory } = parts
  const users = usersOf(name, context)
  for (const attachment of attached) {
    const { nodeName } = attachment.spec
    const key = `${name} ${nodeName}`
    if (users.has(nodeName)) memory.detachWanted.delete(key)
    else if (mayDetach(name, attachment, parts)) yield* detach(attachment, parts)
  }
  if (!volume || !needsAttach(volume)) return
  const attaching: Task[] = []
  for (const [nodeName, pods] of users) {
    const nodes = context.kube.indexed(attachmentsByVolume, name).map(({ spec }) => spec.nodeName)
    const key = `${name} ${nodeName}`
    if (nodes.includes(nodeName)) {
      memory.told.delete(key)
      continue
    }
    if (mayAttachToMany(volume) || nodes.length + attaching.length === 0)
      attaching.push(attach(volume, nodeName, pods, parts))
    else if (!memory.told.has(key)) {
      memory.told.add(key)
      tellOfConflict(
        name,
        pods,
        nodes.flatMap((node) => users.get(node) ?? []),
        context,
      )
    }
  }
  yield* all(attaching)
}

const isHealthy = (node: o.Node): boolean => condition(node, 'Ready')?.status === 'True'

/** A healthy node is rid of what no pod has any more; one that is gone, too; a sick one is given six minutes. */
function mayDetach(name: string, { spec: { nodeName } }: o.VolumeAttachment, { context, memory }: Parts): boolean {
  const { kube, queue, now } = context
  const key = `${name} ${nodeName}`
  const node = kube.get(Node, nodeName)
  if (!node || isHealthy(node) || node.spec.taints?.some((taint) => taint.key === OUT_OF_SERVICE)) return true
  const since = memory.detachWanted.get(key) ?? now
  memory.detachWanted.set(key, since)
  if (now - since > MAX_WAIT_FOR_UNMOUNT) return true
  queue.addAfter(name, since + MAX_WAIT_FOR_UNMOUNT + LOOP - now)
  return false
}

function* detach(attachment: o.VolumeAttachment, { context: { kube }, takes, memory }: Parts): Task {
  const { nodeName, source } = attachment.spec
  yield* sleep(takes.detachTakes)
  try {
    yield* kube.delete(VolumeAttachment, keyOf(attachment))
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
  memory.detachWanted.delete(`${source.persistentVolumeName} ${nodeName}`)
}

function* attach(
  volume: o.PersistentVolume,
  nodeName: string,
  pods: readonly o.Pod[],
  { context: { kube }, takes, memory }: Parts,
): Task {
  const { name } = volume.metadata
  try {
    const made = yield* kube.create(VolumeAttachment, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: attachmentName(name, nodeName) },
      spec: { attacher: volume.spec.csi!.driver, nodeName, source: { persistentVolumeName: name } },
    })
    yield* sleep(takes.attachTakes)
    yield* kube.patch(VolumeAttachment, keyOf(made), { status: { attached: true } }, { subresource: 'status' })
  } catch (error) {
    if (isApiError(error, 'AlreadyExists') || isApiError(error, 'NotFound')) return
    throw error
  }
  memory.told.delete(`${name} ${nodeName}`)
  for (const pod of pods)
    kube.event(pod, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${name}" `)
}

/** Follows reportMultiAttachError. */
function tellOfConflict(
  name: string,
  waiting: readonly o.Pod[],
  using: readonly o.Pod[],
  { kube }: ControllerContext,
): void {
  for (const pod of waiting) {
    const local = using.filter(({ metadata }) => metadata.namespace === pod.metadata.namespace)
    const others = using.length - local.length
    const elsewhere = `${others} pod(s) in different namespaces`
    let why = `Volume is already used by ${elsewhere}`
    if (using.length === 0) why = "Volume is already exclusively attached to one node and can't be attached to another"
    else if (local.length > 0) {
      why = `Volume is already used by pod(s) ${local.map(({ metadata }) => metadata.name).join(', ')}`
      if (others > 0) why = `${why} and ${elsewhere}`
    }
    kube.event(pod, 'Warning', 'FailedAttachVolume', `Multi-Attach error for volume "${name}" ${why}`)
  }
}
