import { isApiError } from '../kube/errors.ts'
import { CSIDriver, PersistentVolume, PersistentVolumeClaim } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Pod } from '../kube/objects.ts'
import { claimNames, needsAttach, uniqueVolumeName } from '../kube/volumes.ts'
import { type Signal, sleep, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import { ms, seconds, type Us } from '../world/time.ts'
import type { NodeVolumes } from './node-volumes.ts'
import { missing, type Reference, volumeReferences } from './references.ts'

/** How often a sync looks whether its volumes are mounted. podAttachAndMountRetryInterval. */
const POLL = ms(300)
/** reconcilerLoopSleepPeriod: how often the kubelet looks whether a volume is attached. */
const LOOP = ms(100)
/** goroutinemap/exponentialbackoff: pauses between attempts to mount. */
const FIRST_RETRY = ms(500)
const MAX_RETRY = seconds(122)

/**
 * Waits until the pod's volumes are mounted. Says at each failed attempt what is missing. False when `cancelled` came first.
 * Each pod is taken to have its service account's token mounted, so the wait is never nothing. With `attached`, the node's volumes,
 * claims must be bound and volumes that need it attached there; nothing is said of waiting for that.
 * Follows pkg/kubelet/volumemanager/volume_manager.go WaitForAttachAndMount and operationexecutor/operation_generator.go.
 */
export function* mountVolumes(options: {
  pod: Pod
  kube: Kube
  clock: Clock
  takes: Us
  cancelled: Signal
  attached?: NodeVolumes
  event(message: string): void
}): Task<boolean> {
  const { pod, kube, clock, cancelled } = options
  const startedAt = clock.now
  const namespace = pod.metadata.namespace ?? 'default'
  let wanted = [...volumeReferences(pod), ...(options.attached === undefined ? [] : ephemeralReferences(pod))]
  let retry = FIRST_RETRY
  for (;;) {
    const still: typeof wanted = []
    for (const ref of wanted) {
      const why = yield* missing(kube, namespace, ref)
      const problem = why === undefined ? yield* claimProblem(ref, options) : messageOf(ref, namespace, why)
      if (problem === undefined) continue
      still.push(ref)
      options.event(problem)
    }
    wanted = still
    if (wanted.length === 0) break
    if (yield* cancelled.waitFor(retry)) return false
    retry = Math.min(retry * 2, MAX_RETRY)
  }
  if (options.attached && !(yield* untilAttached(pod.metadata.uid, options.attached, cancelled))) return false
  const mountedAt = clock.now + options.takes
  yield* sleep(Math.ceil((mountedAt - startedAt) / POLL) * POLL + startedAt - clock.now)
  return true
}

const ephemeralReferences = (pod: Pod): Reference[] =>
  claimNames(pod).flatMap(({ volume, claim, ephemeral }) =>
    ephemeral ? [{ kind: 'claim' as const, name: claim, volume }] : [],
  )

const unmounted = (volume: string | undefined, why: string): string =>
  `Unable to attach or mount volumes: unmounted volumes=[${volume}], unattached volumes=[], failed to process volumes=[${volume}]: ${why}`

const messageOf = ({ kind, name, volume }: Reference, namespace: string, why: string): string =>
  kind === 'claim'
    ? unmounted(
        volume,
        `error processing PVC ${namespace}/${name}: failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`,
      )
    : `MountVolume.SetUp failed for volume "${volume}" : ${why}`

/** Why a claim that is there cannot be mounted yet. Follows populator/desired_state_of_world_populator.go getPVCExtractPV. */
function* claimProblem(
  { kind, name, volume }: Reference,
  { pod, kube, attached }: { pod: Pod; kube: Kube; attached?: NodeVolumes },
): Task<string | undefined> {
  if (kind !== 'claim' || attached === undefined) return undefined
  const key = `${pod.metadata.namespace}/${name}`
  const claim = yield* kube.read(PersistentVolumeClaim, key)
  const { volumeName = '' } = claim.spec
  const phase = claim.status?.phase ?? ''
  const failed = (why: string) => unmounted(volume, `error processing PVC ${key}: ${why}`)
  if (claim.metadata.deletionTimestamp) return failed('PVC is being deleted')
  if (phase !== 'Bound' || volumeName === '') return failed('PVC is not bound')
  const held = yield* found(kube.read(PersistentVolume, volumeName))
  if (!held)
    return failed(`failed to fetch PV ${volumeName} from API server: persistentvolumes "${volumeName}" not found`)
  const driver = held.spec.csi && (yield* found(kube.read(CSIDriver, held.spec.csi.driver)))
  if (needsAttach(held, driver)) attached.want(pod.metadata.uid, uniqueVolumeName(held))
  return undefined
}

/**
 * Waits for what the pod wants to be attached, and then for the node's status to have said that it is in use, which is tried again with
 * pauses that double. Follows operation_generator.go GenerateVerifyControllerAttachedVolumeFunc.
 */
function* untilAttached(podUid: string, volumes: NodeVolumes, cancelled: Signal): Task<boolean> {
  for (const name of volumes.wantedBy(podUid)) {
    while (!volumes.isAttached(name)) if (yield* cancelled.waitFor(LOOP)) return false
    for (let retry = FIRST_RETRY; !volumes.isReported(name); retry = Math.min(retry * 2, MAX_RETRY))
      if (yield* cancelled.waitFor(retry)) return false
  }
  return true
}

function* found<T>(read: Task<T>): Task<T | undefined> {
  try {
    return yield* read
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}
