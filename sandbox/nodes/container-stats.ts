import type { DeviceManager } from '../gpus/device-manager.ts'
import type { Pod } from '../kube/objects.ts'
import { toSeconds, type Us } from '../world/time.ts'
import type { PodRuntime } from './pod-runtime.ts'
import type { GpuUsage } from './program.ts'

/** A running container as its runtime accounts for it. */
export interface ContainerStats {
  readonly pod: Pod
  readonly container: string
  readonly image: string
  /** `containerd://…`. */
  readonly id: string
  readonly startedAt: Us
  /** Since it started. */
  readonly cpuSeconds: number
  readonly memoryBytes: number
  /** Ids of its GPUs. */
  readonly devices: readonly string[]
  readonly gpu?: GpuUsage
}

/** What is taken of a program that does not say what it uses: a small server at rest. */
const ASSUMED = { startCpuSeconds: 0.05, cpuCores: 0.002, memoryBytes: 24 * 2 ** 20 }

/** The running containers of a pod. */
export function statsOf(pod: Pod, runtime: PodRuntime, devices: DeviceManager, now: Us): ContainerStats[] {
  const stats: ContainerStats[] = []
  for (const { view, running, program } of runtime.containers) {
    if (!running || !program) continue
    const startedAt = view.startedAt ?? now
    const { cpuSeconds, memoryBytes } = program.usage?.() ?? {
      cpuSeconds: ASSUMED.startCpuSeconds + ASSUMED.cpuCores * toSeconds(now - startedAt),
      memoryBytes: ASSUMED.memoryBytes,
    }
    const gpu = program.gpuUsage?.()
    stats.push({
      pod,
      container: view.name,
      image: view.image,
      id: view.id,
      startedAt,
      cpuSeconds,
      memoryBytes,
      devices: devices.of(pod.metadata.uid, view.name),
      ...(gpu ? { gpu } : {}),
    })
  }
  return stats
}
