import type { DeviceManager } from '../gpus/device-manager.ts'
import type { Kube } from '../kube/kube.ts'
import type { Container, Pod } from '../kube/objects.ts'
import type { PodNetwork } from '../network/pod-network.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Backoff } from './backoff.ts'
import type { ImageManager } from './images.ts'
import type { NodeVolumes } from './node-volumes.ts'
import type { Pleg } from './pleg.ts'
import type { PodAddresses } from './pod-addresses.ts'
import type { ProbeResults } from './prober/results.ts'
import type { Program } from './program.ts'
import type { StatusManager } from './status-manager.ts'
import type { NodeTimings } from './timings.ts'

/** What a container runs. Asked once each time a container starts. */
export type ProgramFor = (pod: Pod, container: Container) => Program

/** The parts of one kubelet that its pod workers share. */
export interface KubeletContext {
  readonly world: World
  readonly kube: Kube
  readonly random: RandomStream
  readonly nodeName: string
  readonly nodeIP: string
  readonly timings: NodeTimings
  readonly startedAt: Us
  /** When the sync loop's one-second ticker fires, modulo its period. */
  readonly syncPhase: Us
  readonly images: ImageManager
  readonly devices: DeviceManager
  readonly addresses: PodAddresses
  readonly network: PodNetwork
  readonly pleg: Pleg
  readonly statuses: StatusManager
  readonly probeResults: ProbeResults
  readonly crashLoop: Backoff
  readonly programFor: ProgramFor
  /** Set where claims are mounted. */
  readonly attached?: NodeVolumes
  readonly keepsLogs: boolean
  deviceLost(id: string): boolean
  event(pod: Pod, level: 'Normal' | 'Warning', reason: string, message: string): void
  /** Records that the simulator cannot tell what a command would do. */
  unmodelled(pod: Pod, container: Container, what: string, command: readonly string[]): void
}
