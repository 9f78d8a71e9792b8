import { isApiError } from '../kube/errors.ts'
import {
  CSIDriver,
  keyOf,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '../kube/kinds.ts'
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
  uniqueVolumeName,
} from '../kube/volumes.ts'
import { all, sleep, type Task } from '../world/actor.ts'
import { minutes, ms, type Us } from '../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from './controller.ts'

/** How long a volume that a lost node may still have mounted is left to it: maxWaitForUnmountDuration. */
const MAX_WAIT_FOR_UNMOUNT = minutes(6)
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
/** reconcilerLoopPeriod: how soon a volume that cannot be attached is looked at again when nothing is seen to change. */
const LOOP = ms(100)
/** How often it is looked whether the csi-attacher is done: after so long, with pauses that grow and vary. */
const FIRST_LOOK = ms(500)
const LOOK_GROWS = 1.05
const LOOK_VARIES = 0.1
/** csiTimeout: then it is given up and begun anew. */
const GIVE_UP = minutes(2)

const attachmentsByVolume: Index<o.VolumeAttachment> = {
  kind: VolumeAttachment,
  name: 'volume',
  values: ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []),
}

/**
 * Has the volumes of drivers (`spec.csi`) attached to the nodes of the pods that use them, and detached afterwards. A volume whose modes
 * allow one node waits until the other node is rid of it. What a node says to have in use is left to it; to one that is not ready, for
 * six minutes. Follows pkg/controller/volume/attachdetach/reconciler/reconciler.go and pkg/volume/csi/csi_attacher.go.
 */
export function attachDetachController(): ControllerSpec {
  const memory: Memory = { detachWanted: new Map(), told: new Set(), inUse: new Map(), attached: new Map() }
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
      watching(CSIDriver, () => ({})),
      watching(VolumeAttachment, ({ queue }) => ({
        added: ({ spec }) => queue.add(spec.source.persistentVolumeName ?? ''),
        deleted: ({ spec }) => queue.add(spec.source.persistentVolumeName ?? ''),
      })),
      watching(Node, (context) => {
        const see = ({ metadata: { name }, status }: o.Node) => {
          memory.inUse.set(name, new Set(status?.volumesInUse))
          queueVolumesOn(name, context)
        }
        return {
          added: see,
          updated: (before, node) => {
            if (isHealthy(before) !== isHealthy(node) || before.status.volumesInUse !== node.status.volumesInUse)
              see(node)
          },
          deleted: see,
        }
      }),
    ],
    *reconcile(name, context) {
      const volume = context.kube.get(PersistentVolume, name)
      const attached = context.kube.indexed(attachmentsByVolume, name)
      const wanted = volume && needsAttach(volume, driverOf(volume, context)) ? volume : undefined
      if (!wanted && attached.length === 0) return
      yield* reconcileVolume(name, wanted, attached, { context, memory })
    },
  })
}

const driverOf = ({ spec }: o.PersistentVolume, { kube }: ControllerContext): o.CSIDriver | undefined =>
  spec.csi && kube.get(CSIDriver, spec.csi.driver)

interface Memory {
  /** When a volume was first found on a node where nothing wants it, by `volume node`. */
  readonly detachWanted: Map<string, Us>
  /** Volume and node whose Multi-Attach error was told of. */
  readonly told: Set<string>
  /** By node: the volumes it says to have in use, and those that came to it since. */
  readonly inUse: Map<string, Set<string>>
  /** By node and attachment: the volumes that are attached to it and not about to leave. */
  readonly attached: Map<string, Map<string, string>>
}

interface Parts {
  readonly context: ControllerContext
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
    else if (mayDetach(name, volume, attachment, parts)) yield* detach(attachment, parts)
  }
  if (!volume) return
  const attaching: Task[] = []
  for (const [nodeName, pods] of users) {
    const nodes = context.kube.indexed(attachmentsByVolume, name).map(({ spec }) => spec.nodeName)
    const key = `${name} ${nodeName}`
    if (memory.attached.get(nodeName)?.has(attachmentName(volume, nodeName))) {
      memory.told.delete(key)
      continue
    }
    const others = nodes.filter((other) => other !== nodeName)
    if (mayAttachToMany(volume) || others.length + attaching.length === 0)
      attaching.push(attach(volume, nodeName, pods, parts))
    else if (!memory.told.has(key)) {
      memory.told.add(key)
      tellOfConflict(
        name,
        pods,
        others.flatMap((node) => users.get(node) ?? []),
        context,
      )
    }
  }
  yield* all(attaching)
}

const isHealthy = (node: o.Node): boolean => condition(node, 'Ready')?.status === 'True'

/** What a node has in use is left to it; a sick one, or one that is gone, is given six minutes. */
function mayDetach(
  name: string,
  volume: o.PersistentVolume | undefined,
  { spec: { nodeName } }: o.VolumeAttachment,
  { context, memory }: Parts,
): boolean {
  const { kube, queue, now } = context
  const key = `${name} ${nodeName}`
  const node = kube.get(Node, nodeName)
  const since = memory.detachWanted.get(key) ?? now
  memory.detachWanted.set(key, since)
  if (!volume || !memory.inUse.get(nodeName)?.has(uniqueVolumeName(volume))) return true
  if (node?.spec.taints?.some((taint) => taint.key === OUT_OF_SERVICE)) return true
  const isSick = !node || !isHealthy(node)
  if (isSick && now - since > MAX_WAIT_FOR_UNMOUNT) return true
  if (isSick) queue.addAfter(name, since + MAX_WAIT_FOR_UNMOUNT + LOOP - now)
  return false
}

function* detach(attachment: o.VolumeAttachment, parts: Parts): Task {
  const { context, memory } = parts
  const { nodeName, source } = attachment.spec
  const key = keyOf(attachment)
  if (memory.attached.get(nodeName)?.delete(key)) yield* report(nodeName, parts)
  try {
    yield* context.kube.delete(VolumeAttachment, key)
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
  yield* untilSeen(() => !context.kube.get(VolumeAttachment, key), context)
  memory.detachWanted.delete(`${source.persistentVolumeName} ${nodeName}`)
}

function* attach(volume: o.PersistentVolume, nodeName: string, pods: readonly o.Pod[], parts: Parts): Task {
  const { context, memory } = parts
  const { kube } = context
  const { name } = volume.metadata
  const key = attachmentName(volume, nodeName)
  try {
    yield* kube.create(VolumeAttachment, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: key },
      spec: { attacher: volume.spec.csi!.driver, nodeName, source: { persistentVolumeName: name } },
    })
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
  if (!(yield* untilSeen(() => kube.get(VolumeAttachment, key)?.status?.attached === true, context))) {
    context.queue.addAfter(name, LOOP)
    return
  }
  memory.told.delete(`${name} ${nodeName}`)
  const unique = uniqueVolumeName(volume)
  memory.inUse.set(nodeName, (memory.inUse.get(nodeName) ?? new Set()).add(unique))
  memory.attached.set(nodeName, (memory.attached.get(nodeName) ?? new Map()).set(key, unique))
  for (const pod of pods)
    kube.event(pod, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${name}" `)
  yield* report(nodeName, parts)
}

/** False when it took too long. Follows waitForVolumeAttachDetachStatusWithLister. */
function* untilSeen(holds: () => boolean, { world: { clock }, random }: ControllerContext): Task<boolean> {
  const deadline = clock.now + GIVE_UP
  for (let pause = FIRST_LOOK; clock.now < deadline; pause *= LOOK_GROWS) {
    yield* sleep(Math.round(pause * (1 + random.next() * LOOK_VARIES)))
    if (holds()) return true
  }
  return false
}

/** Tells a node what is attached to it. Follows statusupdater/node_status_updater.go. */
function* report(nodeName: string, { context: { kube }, memory }: Parts): Task {
  const names = [...(memory.attached.get(nodeName)?.values() ?? [])].sort()
  const volumesAttached = names.length > 0 ? names.map((name) => ({ name, devicePath: '' })) : null
  try {
    yield* kube.patch(Node, nodeName, { status: { volumesAttached } }, { subresource: 'status' })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
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
