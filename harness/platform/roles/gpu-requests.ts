import { milliValueOf, parseQuantity, wholeValueOf } from '../../../sandbox/kube/quantity.ts'
import type { WrittenContainer, WrittenPodSpec } from './pod-templates.ts'

/** The extended resource NVIDIA's device plugin advertises. */
export const GPU = 'nvidia.com/gpu'

/** GPUs one pod asks for. Init containers run before the others and may use the same devices: the larger of both counts. */
export const gpusOf = (spec: WrittenPodSpec): number => requestOf(spec, GPU, wholeValueOf)

/** CPU one pod asks for, in thousandths of a core. */
export const cpuMilliOf = (spec: WrittenPodSpec): number => requestOf(spec, 'cpu', milliValueOf)

/** Memory one pod asks for, in bytes. */
export const memoryBytesOf = (spec: WrittenPodSpec): number => requestOf(spec, 'memory', wholeValueOf)

/** Follows k8s.io/component-helpers/resource/helpers.go PodRequests, without pod-level resources. */
function requestOf(
  spec: WrittenPodSpec,
  resource: string,
  read: (quantity: ReturnType<typeof parseQuantity>) => number,
): number {
  const ask = (container: WrittenContainer) => {
    const { requests, limits } = container.resources ?? {}
    const given = requests?.[resource] ?? limits?.[resource]
    return given === undefined ? 0 : read(parseQuantity(String(given)))
  }
  const running = spec.containers.reduce((sum, container) => sum + ask(container), 0)
  let sidecars = 0
  let peak = 0
  for (const init of spec.initContainers ?? []) {
    if (init.restartPolicy === 'Always') sidecars += ask(init)
    else peak = Math.max(peak, sidecars + ask(init))
  }
  return Math.max(running + sidecars, peak)
}
