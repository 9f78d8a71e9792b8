import { describe, expect, it } from 'vitest'
import { Pod } from '../../kube/kinds.ts'
import type { Pod as PodObject } from '../../kube/objects.ts'
import type { ContainerStats } from '../../nodes/container-stats.ts'
import { seconds } from '../../world/time.ts'
import { scrapeWorld } from '../scrape/test-kit.ts'
import { MetricsServer } from './metrics-server.ts'
import { type MetricsPoint, PodStorage } from './pod-storage.ts'

const point = (startedAt: number, at: number, cores: number, memoryBytes = 100): MetricsPoint => ({
  startedAt: seconds(startedAt),
  at: seconds(at),
  cpuNanos: cores * 1e9,
  memoryBytes,
})
const batch = (...containers: (readonly [string, MetricsPoint])[]) => new Map([['ns/a', new Map(containers)]])

describe('the last two points of a container', () => {
  it('give its usage: the difference of CPU over the window, the last memory', () => {
    const storage = new PodStorage(seconds(15))
    storage.store(batch(['c', point(0, 100, 40)]))
    expect(storage.usageOf('ns/a')).toBeUndefined()
    storage.store(batch(['c', point(0, 115, 47.5, 200)]))
    const usage = storage.usageOf('ns/a')!
    expect([usage.at, usage.windowUs]).toEqual([seconds(115), seconds(15)])
    // 7.5 core seconds in 15 s
    expect(usage.containers.get('c')).toEqual({ cpuNanos: 5e8, memoryBytes: 200 })
  })

  it('stay when a scrape finds no newer one', () => {
    const storage = new PodStorage(seconds(15))
    storage.store(batch(['c', point(0, 100, 40)]))
    storage.store(batch(['c', point(0, 115, 47.5)]))
    storage.store(batch(['c', point(0, 115, 47.5)]))
    expect(storage.usageOf('ns/a')!.containers.get('c')!.cpuNanos).toBe(5e8)
  })

  it('of a container that has just started are its start and the first, if that is 10 s old', () => {
    const storage = new PodStorage(seconds(15))
    storage.store(batch(['c', point(88, 100, 6)]))
    expect(storage.usageOf('ns/a')!.windowUs).toBe(seconds(12))
    const young = new PodStorage(seconds(15))
    young.store(batch(['c', point(95, 100, 6)]))
    expect(young.usageOf('ns/a')).toBeUndefined()
  })

  it('are not mixed over a restart, and one container without them hides the pod', () => {
    const storage = new PodStorage(seconds(15))
    storage.store(batch(['c', point(0, 100, 40)], ['d', point(0, 100, 1)]))
    storage.store(batch(['c', point(110, 115, 1)], ['d', point(0, 115, 2)]))
    expect(storage.usageOf('ns/a')).toBeUndefined()
  })
})

describe('metrics-server', () => {
  const stats = (pod: PodObject, startedAt: number, now: number, cores: number): ContainerStats => ({
    pod,
    container: 'main',
    image: 'x',
    id: 'containerd://1',
    startedAt: seconds(startedAt),
    cpuSeconds: (now - startedAt) * cores,
    memoryBytes: 1000,
    devices: [],
  })

  it('knows a running pod of a selector after two scrapes', () => {
    const w = scrapeWorld()
    w.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      spec: {},
      status: { capacity: {}, allocatable: {} },
    })
    const pod = w.pod('a', '10.0.0.1')
    w.pod('b', '10.0.0.2', { labels: { app: 'other' } })
    const server = new MetricsServer({
      world: w.world,
      kube: w.kube,
      kubelet: () => [{ stats: stats(pod, -100, w.clock.now / 1e6, 0.25), at: w.clock.now }],
    })
    w.at(15)
    expect(server.list('default', { matchLabels: { app: 'web' } })).toEqual([])
    w.at(32)
    const [usage] = server.list('default', { matchLabels: { app: 'web' } })
    expect(usage!.name).toBe('a')
    expect(usage!.containers.get('main')!.cpuNanos / 1e9).toBeCloseTo(0.25, 3)
    expect(Math.abs(usage!.windowUs - seconds(15))).toBeLessThan(seconds(0.1))
    w.store.delete(Pod, 'default/a', 'test', { gracePeriodSeconds: 0 })
    w.at(33)
    expect(server.list('default', { matchLabels: { app: 'web' } })).toEqual([])
  })

  it('has metrics of all namespaces, and of nodes: what their pods use', () => {
    const w = scrapeWorld()
    for (const name of ['n1', 'n2'])
      w.create({
        ...{ apiVersion: 'v1', kind: 'Node', spec: {}, status: { capacity: {}, allocatable: {} } },
        metadata: { name, labels: { pool: name } },
      })
    const pods = ['default', 'other'].map((namespace, i) => w.pod(`p${i}`, `10.0.0.${i}`, { namespace }))
    const server = new MetricsServer({
      world: w.world,
      kube: w.kube,
      kubelet: (node) =>
        node === 'n2' ? [] : pods.map((pod) => ({ stats: stats(pod, -100, w.clock.now / 1e6, 0.25), at: w.clock.now })),
    })
    expect(server.nodes({})).toEqual([])
    w.at(32)
    expect(server.list('', {}).map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['default/p0', 'other/p1'])
    const [busy, idle] = server.nodes({})
    expect(busy).toMatchObject({ name: 'n1', labels: { pool: 'n1' }, memoryBytes: 2000 })
    expect(busy!.cpuNanos / 1e9).toBeCloseTo(0.5, 3)
    expect(idle).toMatchObject({ name: 'n2', cpuNanos: 0, memoryBytes: 0 })
    expect(Math.abs(idle!.windowUs - seconds(15))).toBeLessThan(seconds(0.1))
    expect(server.nodes({ matchLabels: { pool: 'n2' } })).toHaveLength(1)
  })

  it('waits for a kubelet that does not answer: all points come ten seconds later', () => {
    const w = scrapeWorld()
    for (const name of ['n1', 'n2'])
      w.create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name },
        spec: {},
        status: { capacity: {}, allocatable: {} },
      })
    const pod = w.pod('a', '10.0.0.1')
    let firstAsked = 0
    const server = new MetricsServer({
      world: w.world,
      kube: w.kube,
      kubelet: (node) => {
        if (node === 'n2') return undefined
        firstAsked ||= w.clock.now / 1e6
        return [{ stats: stats(pod, firstAsked - 12, w.clock.now / 1e6, 0.25), at: w.clock.now }]
      },
    })
    w.at(15)
    expect(firstAsked).toBeGreaterThan(0)
    w.at(firstAsked + 9.9)
    expect(server.list('default', {})).toEqual([])
    w.at(firstAsked + 10.1)
    expect(server.list('default', {})).toHaveLength(1)
  })
})
