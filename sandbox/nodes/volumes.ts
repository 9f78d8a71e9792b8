import type { Kube } from '../kube/kube.ts'
import type { Pod } from '../kube/objects.ts'
import { type Signal, sleep, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import { ms, seconds, type Us } from '../world/time.ts'
import { missing, volumeReferences } from './references.ts'

/** How often a sync looks whether its volumes are mounted. podAttachAndMountRetryInterval. */
const POLL = ms(300)
/** goroutinemap/exponentialbackoff: pauses between attempts to mount. */
const FIRST_RETRY = ms(500)
const MAX_RETRY = seconds(122)

/**
 * Waits until the pod's volumes are mounted. Says at each failed attempt what is missing. False when `cancelled` came first.
 * Each pod is taken to have its service account's token mounted, so the wait is never nothing. Attaching of disks takes no time here.
 * Follows pkg/kubelet/volumemanager/volume_manager.go WaitForAttachAndMount and operationexecutor/operation_generator.go.
 */
export function* mountVolumes(options: {
  pod: Pod
  kube: Kube
  clock: Clock
  takes: Us
  cancelled: Signal
  event(message: string): void
}): Task<boolean> {
  const { pod, kube, clock, cancelled } = options
  const startedAt = clock.now
  const namespace = pod.metadata.namespace ?? 'default'
  let wanted = volumeReferences(pod)
  let retry = FIRST_RETRY
  for (;;) {
    const still: typeof wanted = []
    for (const ref of wanted) {
      const why = yield* missing(kube, namespace, ref)
      if (why === undefined) continue
      still.push(ref)
      options.event(
        ref.kind === 'claim'
          ? `Unable to attach or mount volumes: unmounted volumes=[${ref.volume}], unattached volumes=[], failed to process volumes=[${ref.volume}]: error processing PVC ${namespace}/${ref.name}: failed to fetch PVC from API server: persistentvolumeclaims "${ref.name}" not found`
          : `MountVolume.SetUp failed for volume "${ref.volume}" : ${why}`,
      )
    }
    wanted = still
    if (wanted.length === 0) break
    if (yield* cancelled.waitFor(retry)) return false
    retry = Math.min(retry * 2, MAX_RETRY)
  }
  const mountedAt = clock.now + options.takes
  yield* sleep(Math.ceil((mountedAt - startedAt) / POLL) * POLL + startedAt - clock.now)
  return true
}
