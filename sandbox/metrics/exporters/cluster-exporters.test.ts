import { describe, expect, it } from 'vitest'
import type { Pod } from '../../kube/objects.ts'
import { PodNetwork } from '../../network/pod-network.ts'
import type { ContainerStats } from '../../nodes/container-stats.ts'
import type { GpuUsage } from '../../nodes/program.ts'
import { seconds } from '../../world/time.ts'
import { fixedSource } from '../scrape/config-source.ts'
import { podScrapes } from '../scrape/network.ts'
import { Prometheus } from '../scrape/prometheus.ts'
import { scrapeWorld } from '../scrape/test-kit.ts'
import { ClusterExporters, exporterJobs } from './cluster-exporters.ts'
import { KubeStateMetrics } from './kube-state-metrics.ts'

/** One GPU node whose container uses CPU and GPU as the test says, scraped by the usual jobs. */
function world(gpuOf: (t: number) => GpuUsage) {
  const w = scrapeWorld()
  const now = () => w.clock.now / 1e6
  const pod = w.pod('web', '10.0.0.1') as Pod
  w.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'nvidia.com/gpu.present': 'true' } },
    spec: {},
    status: { capacity: {}, allocatable: {}, addresses: [{ type: 'InternalIP', address: '172.16.0.1' }] },
  })
  let off = false
  const stats = (): ContainerStats => ({
    pod: {
      ...pod,
      spec: {
        ...pod.spec,
        containers: [
          { ...pod.spec.containers[0]!, resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '500m' } } },
        ],
      },
    },
    container: 'main',
    image: 'x',
    id: 'containerd://abc',
    startedAt: -seconds(100),
    cpuSeconds: 100 + now() * 0.5,
    memoryBytes: 5e8,
    devices: ['GPU-0'],
    gpu: gpuOf(now()),
  })
  const one = stats()
  const exporters = new ClusterExporters({ world: w.world, stateMetrics: new KubeStateMetrics(w.kube) })
  exporters.add({
    name: 'n1',
    ip: '172.16.0.1',
    gpus: ['GPU-0', 'GPU-1'],
    gpu: { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 81_559 * 2 ** 20 },
    // the object stays, its numbers change
    containerStats: () => (off ? undefined : [{ ...one, ...stats(), pod: one.pod }]),
  })
  const network = podScrapes({
    network: new PodNetwork(),
    kube: w.kube,
    exporters: exporters.exporters,
    kubelets: exporters.kubelets,
  })
  new Prometheus({
    world: w.world,
    kube: w.kube,
    network,
    appender: w.tsdb,
    source: fixedSource(exporterJobs()),
    faults: w.faults,
  })
  return { ...w, exporters, turnOff: () => (off = true) }
}

const busy =
  (share: number) =>
  (t: number): GpuUsage => ({
    busySeconds: t * share,
    tensorSeconds: t * 0.1,
    dramSeconds: t * 0.4,
    memoryBytes: 70_000 * 2 ** 20,
  })

describe('cAdvisor', () => {
  it('tells CPU and memory by container and, again, by pod, at the times it measured them', () => {
    const w = world(busy(1))
    w.at(200)
    const cpu = w.series('container_cpu_usage_seconds_total')
    expect(cpu.map((s) => s.labels.container)).toEqual(['main', undefined])
    expect(cpu[0]!.labels).toMatchObject({
      id: expect.stringMatching(/^\/kubepods.*\/abc$/),
      image: 'x',
      instance: '172.16.0.1:10250',
      job: 'kubelet',
      metrics_path: '/metrics/cadvisor',
      name: 'abc',
      namespace: 'default',
      node: 'n1',
      pod: 'web',
    })
    for (const [t, v] of cpu[0]!.samples) expect(v).toBeCloseTo(100 + t * 0.5, 2)
    const gaps = cpu[0]!.samples.slice(1).map(([t], i) => t - cpu[0]!.samples[i]![0])
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(10)
    const value = (name: string) => w.series(name)[0]!.samples.at(-1)![1]
    expect(value('container_spec_cpu_quota')).toBe(200_000)
    expect(value('container_spec_cpu_shares')).toBe(512)
    expect(value('container_spec_memory_limit_bytes')).toBe(2 ** 30)
    expect(value('container_memory_working_set_bytes')).toBe(5e8)
  })

  it('is silent when the node is off: the scrape times out, series are stale', () => {
    const w = world(busy(1))
    w.at(200)
    w.turnOff()
    w.at(260)
    const up = w.series('up').find((s) => s.labels.job === 'kubelet')!
    expect(up.samples.at(-1)![1]).toBe(0)
    expect(w.series('container_cpu_usage_seconds_total')[0]!.samples.at(-1)![1]).toBe('x')
    expect(w.exporters.points('n1')).toBeUndefined()
  })
})

describe('dcgm-exporter', () => {
  it('says how long kernels ran, not how hard they work; the holder is in exported labels', () => {
    const w = world(busy(1))
    w.at(200)
    const [held, free] = w.series('DCGM_FI_DEV_GPU_UTIL').sort((a, b) => (a.labels.gpu! < b.labels.gpu! ? -1 : 1))
    expect(held!.samples.at(-1)![1]).toBe(100)
    expect(free!.samples.at(-1)![1]).toBe(0)
    expect(held!.labels).toMatchObject({
      Hostname: 'n1',
      UUID: 'GPU-0',
      device: 'nvidia0',
      exported_container: 'main',
      exported_namespace: 'default',
      exported_pod: 'web',
      gpu: '0',
      modelName: 'NVIDIA H100 80GB HBM3',
      namespace: 'gpu-operator',
    })
    expect(free!.labels).not.toHaveProperty('exported_pod')
    const value = (name: string) =>
      w
        .series(name)
        .find((s) => s.labels.gpu === '0')!
        .samples.at(-1)![1] as number
    expect(value('DCGM_FI_DEV_FB_USED')).toBe(70_000)
    expect(value('DCGM_FI_DEV_FB_FREE')).toBe(11_559)
    expect(value('DCGM_FI_PROF_PIPE_TENSOR_ACTIVE')).toBeCloseTo(0.1, 6)
    expect(value('DCGM_FI_PROF_DRAM_ACTIVE')).toBeCloseTo(0.4, 6)
    expect(value('DCGM_FI_PROF_GR_ENGINE_ACTIVE')).toBeCloseTo(1, 6)
    expect(value('DCGM_FI_DEV_POWER_USAGE')).toBeGreaterThan(200)
    expect(value('DCGM_FI_DEV_POWER_USAGE')).toBeLessThan(700)
  })

  it('of a GPU that is held but idle shows memory and no use', () => {
    const w = world(() => ({ busySeconds: 5, tensorSeconds: 0, dramSeconds: 0, memoryBytes: 2 ** 30 }))
    w.at(200)
    const value = (name: string) =>
      w
        .series(name)
        .find((s) => s.labels.gpu === '0')!
        .samples.at(-1)![1]
    expect([value('DCGM_FI_DEV_GPU_UTIL'), value('DCGM_FI_DEV_FB_USED'), value('DCGM_FI_DEV_SM_CLOCK')]).toEqual([
      0, 1024, 345,
    ])
  })
})

it('kube-state-metrics is scraped with its own labels kept', () => {
  const w = world(busy(1))
  w.at(100)
  const [info] = w.series('kube_pod_info')
  expect(info!.labels).toMatchObject({ job: 'kube-state-metrics', namespace: 'default', pod: 'web' })
  const [node] = w.series('kube_node_info')
  expect(node!.labels).toMatchObject({ namespace: 'monitoring', node: 'n1' })
})
