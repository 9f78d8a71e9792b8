import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRest, type Rest } from '../../sandbox/kube/remote/rest.ts'
import { whyUnavailable } from '../../sandbox/tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../sandbox/tiers/control-plane/control-plane.ts'
import { clusterReader } from './reader.ts'
import { takeSnapshot } from './snapshot.ts'

const unavailable = await whyUnavailable()

describe.skipIf(unavailable)('a snapshot of a real API server', () => {
  let controlPlane: ControlPlane
  let rest: Rest

  beforeAll(async () => {
    controlPlane = await startControlPlane({ apiserver: ['--disable-admission-plugins=ServiceAccount'] })
    rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    const create = (path: string, body: unknown) => rest.send({ method: 'POST', path, body, process: 'test' })
    for (const name of ['gpu-0', 'gpu-1']) {
      await create('/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3', pool: 'large' } },
      })
      await rest.send({
        method: 'PATCH',
        path: `/api/v1/nodes/${name}/status`,
        body: {
          status: {
            allocatable: { cpu: '190', memory: '2Ti', 'nvidia.com/gpu': '8' },
            capacity: { cpu: '192', memory: '2Ti', 'nvidia.com/gpu': '8' },
          },
        },
        process: 'test',
      })
    }
    await create('/apis/scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'serving' },
      value: 1000,
    })
  }, 120_000)
  afterAll(() => controlPlane?.stop())

  it('reads every list it asks for', async () => {
    const sent: string[] = []
    const reader = clusterReader({
      send: (request) => {
        sent.push(request.method)
        return rest.send(request)
      },
    })
    const { snapshot, notes } = await takeSnapshot({ reader, context: 'local' })
    expect(notes).toEqual([])
    expect(new Set(sent)).toEqual(new Set(['GET']))
    expect(snapshot.nodes).toEqual([
      expect.objectContaining({
        count: 2,
        cpu: '190',
        memory: '2048Gi',
        gpu: { product: 'NVIDIA-H100-80GB-HBM3', count: 8 },
      }),
    ])
    expect(snapshot.cluster.priorityClasses).toEqual({ serving: 1000 })
  })
})
