import { describe, expect, it } from 'vitest'
import type { Pod } from '../kube/objects.ts'
import { randomStream } from '../world/random.ts'
import { DeviceManager } from './device-manager.ts'
import { GPU, gpuId, gpuLabels } from './gpu-plugin.ts'

const pod = (uid: string, containers: readonly number[], init: readonly { n: number; sidecar?: boolean }[] = []): Pod =>
  ({
    metadata: { uid },
    spec: {
      containers: containers.map((n, i) => ({ name: `c${i}`, resources: { limits: { [GPU]: String(n) } } })),
      initContainers: init.map(({ n, sidecar }, i) => ({
        name: `i${i}`,
        resources: { limits: { [GPU]: String(n) } },
        ...(sidecar ? { restartPolicy: 'Always' } : {}),
      })),
    },
  }) as unknown as Pod

const manager = (ids = ['g0', 'g1', 'g2', 'g3']) => {
  let changes = 0
  const devices = new DeviceManager(() => changes++)
  devices.register(GPU, ids)
  return { devices, changes: () => changes }
}

describe('the device manager', () => {
  it('gives devices one by one, and takes them back with their pod', () => {
    const { devices } = manager()
    expect(devices.allocate(pod('a', [2, 1]))).toBeUndefined()
    expect(devices.of('a', 'c0')).toEqual(['g0', 'g1'])
    expect(devices.of('a', 'c1')).toEqual(['g2'])
    expect(devices.allocate(pod('b', [2]))).toBe(
      'requested number of devices unavailable for nvidia.com/gpu. Requested: 2, Available: 1',
    )
    expect(devices.holderOf('g3')).toBeUndefined()
    devices.release('a')
    expect(devices.allocate(pod('b', [2]))).toBeUndefined()
    expect(devices.of('b', 'c0')).toEqual(['g0', 'g1'])
  })

  it('lets containers use what init containers had, but not what sidecars have', () => {
    const { devices } = manager()
    expect(devices.allocate(pod('a', [2], [{ n: 3 }, { n: 1, sidecar: true }]))).toBeUndefined()
    expect(devices.of('a', 'i0')).toEqual(['g0', 'g1', 'g2'])
    expect(devices.of('a', 'i1')).toEqual(['g0'])
    expect(devices.of('a', 'c0')).toEqual(['g1', 'g2'])
  })

  it('does not give unhealthy devices, and counts them out of allocatable alone', () => {
    const { devices, changes } = manager(['g0', 'g1'])
    const before = changes()
    devices.setHealth('g0', false)
    devices.setHealth('g0', false)
    expect(changes()).toBe(before + 1)
    expect(devices.counts()).toEqual({ capacity: { [GPU]: '2' }, allocatable: { [GPU]: '1' } })
    devices.allocate(pod('a', [1]))
    expect(devices.of('a', 'c0')).toEqual(['g1'])
    devices.setHealth('g1', false)
    expect(devices.allocate(pod('b', [1]))).toBe(
      'no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu',
    )
    expect(() => devices.setHealth('g9', true)).toThrow('no device g9 on this node')
  })
})

describe('the GPUs of a node', () => {
  it('have ids like nvidia-smi lists, and labels like feature discovery', () => {
    expect(gpuId(randomStream(1, 'x'))).toMatch(
      /^GPU-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(gpuLabels({ product: 'NVIDIA-L4', memoryBytes: 23034 * 2 ** 20, count: 4 })).toMatchObject({
      'nvidia.com/gpu.product': 'NVIDIA-L4',
      'nvidia.com/gpu.memory': '23034',
      'nvidia.com/gpu.count': '4',
      'nvidia.com/mig.capable': 'false',
    })
  })
})
