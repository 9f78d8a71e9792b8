import type { RandomStream } from '../world/random.ts'
import { ms, seconds, type Us } from '../world/time.ts'

/** How long the container runtime and the kubelet's own machinery take on a node. Assumed figures; give measured ones where known. */
export interface NodeTimings {
  /** RunPodSandbox: pause container, network namespace, CNI ADD. */
  readonly createSandbox: Us
  /** StopPodSandbox: CNI DEL. */
  readonly stopSandbox: Us
  readonly createContainer: Us
  readonly startContainer: Us
  /** From SIGKILL to the runtime's report of the exit. */
  readonly kill: Us
  /** Mounting a pod's volumes, once what they need is there. */
  readonly mountVolumes: Us
  readonly unmountVolumes: Us
  /** Listing one pod's containers. */
  readonly relist: Us
  /** Asking the registry for a manifest: the fixed part of each pull. */
  readonly resolveImage: Us
}

/** containerd with a common CNI plugin on a server that is not busy. */
export const assumedTimings: NodeTimings = {
  createSandbox: ms(450),
  stopSandbox: ms(80),
  createContainer: ms(60),
  startContainer: ms(60),
  kill: ms(20),
  mountVolumes: ms(120),
  unmountVolumes: ms(150),
  relist: ms(5),
  resolveImage: ms(600),
}

/** From seeing a pod to saying that it will not be run: assumed. */
export const REJECTS_IN: Us = ms(2)

/** How long a machine takes to come back. Assumed figures; give measured ones where known. */
export interface BootTimings {
  /** From power to a kubelet that talks to the API server: firmware, kernel, services. */
  readonly kubelet: Us
  /** From there until the GPU device plugin has registered: its pod is started anew, the driver is loaded. */
  readonly devicePlugin: Us
}

/** A GPU server: two to ten minutes of firmware on bare metal, one to three on a cloud instance; the plugin in 10 to 60 s. */
export const assumedBoot: BootTimings = { kubelet: seconds(180), devicePlugin: seconds(30) }

// follows pkg/kubelet/kubelet.go and pkg/kubelet/apis/config/v1beta1/defaults.go
export const RELIST_PERIOD = seconds(1)
export const SYNC_TICK = seconds(1)
export const RESYNC_INTERVAL = seconds(60)
export const SYNC_BACKOFF = seconds(10)
export const STATUS_SYNC_PERIOD = seconds(10)
export const NODE_STATUS_PERIOD = seconds(10)
export const LEASE_RENEW_PERIOD = seconds(10)
export const LEASE_DURATION_SECONDS = 40

/** From the end of one renewal to the next: up to 4% over ten seconds. Follows component-helpers/apimachinery/lease/controller.go. */
export const leasePeriod = (random: RandomStream): Us =>
  LEASE_RENEW_PERIOD + Math.floor(random.next() * 0.04 * LEASE_RENEW_PERIOD)

/** MinimumGracePeriodInSeconds of pkg/kubelet/kuberuntime/kuberuntime_manager.go. */
export const MINIMUM_GRACE_SECONDS = 2

/** The first time at or after `from` that is `phase` plus a whole number of periods: when a ticker next fires. */
export const nextTick = (from: Us, phase: Us, period: Us): Us => phase + Math.ceil((from - phase) / period) * period

/** As Go prints a duration, to the millisecond: `850ms`, `2.1s`, `1m2.345s`. */
export function goDuration(duration: Us): string {
  const total = Math.floor(duration / 1e3)
  if (total === 0) return '0s'
  if (total < 1000) return `${total}ms`
  const [h, m, rest] = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60, total % 60_000]
  const s = `${rest / 1000}s`
  if (h > 0) return `${h}h${m}m${s}`
  return m > 0 ? `${m}m${s}` : s
}
