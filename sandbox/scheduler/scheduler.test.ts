import { describe, expect, it } from 'vitest'
import { Store } from '../apiserver/store.ts'
import { addReadyNode } from '../apiserver/testkit.ts'
import { Journal } from '../journal/journal.ts'
import { Event, keyOf, Node, Pod, PriorityClass } from '../kube/kinds.ts'
import { defaultProfile, instant, type LagProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { VirtualClock } from '../world/clock.ts'
import { minutes, seconds } from '../world/time.ts'
import { createWorld } from '../world/world.ts'
import { runScheduler } from './scheduler.ts'
import { node, pod } from './testing.ts'

const urgent = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass' as const,
  metadata: { name: 'urgent' },
  value: 100,
}

function sandbox(options: { profile?: LagProfile; seed?: number; nodes?: o.Node[] } = {}) {
  const { profile = defaultProfile, seed = 1, nodes = [node('a', { gpus: 8 }), node('b', { gpus: 8 })] } = options
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed, journal: new Journal(clock) })
  const store = new Store({ world })
  for (const each of nodes) addReadyNode(store, each)
  store.create(PriorityClass, urgent, 'test')
  // a kubelet that stops containers at once
  store.watch(Pod, {}, ({ verb, object }) => {
    if (verb !== 'MODIFIED' || !object.metadata.deletionTimestamp) return
    clock.after(seconds(1), () => {
      const key = keyOf(object)
      if (store.peek(Pod, key)) store.delete(Pod, key, 'kubelet', { gracePeriodSeconds: 0 })
    })
  })
  const scheduler = runScheduler({ world, kube: new StoreKube({ world, store, profile, process: 'kube-scheduler' }) })
  const create = (...pods: o.Pod[]) => {
    for (const each of pods) store.create(Pod, each, 'test')
  }
  const placed = () => Object.fromEntries(store.list(Pod).map((p) => [p.metadata.name, p.spec.nodeName]))
  const events = (name: string) =>
    store.list(Event).flatMap((e) => (e.involvedObject.name === name ? [`${e.type} ${e.reason}: ${e.message}`] : []))
  return { clock, world, store, scheduler, create, placed, events }
}

const scheduled = (p: o.Pod) => p.status.conditions?.find((c) => c.type === 'PodScheduled')

describe.each([instant, defaultProfile])('the scheduler with the $name profile', (profile) => {
  it('binds pods and says so', () => {
    const { clock, create, placed, events } = sandbox({ profile, nodes: [node('a', { gpus: 8 })] })
    create(pod('x', { gpus: 4 }), pod('y', { gpus: 4 }))
    clock.runUntil(seconds(5))
    expect(placed()).toEqual({ x: 'a', y: 'a' })
    expect(events('x')).toEqual(['Normal Scheduled: Successfully assigned default/x to a'])
  })

  it('says why a pod fits nowhere, and places it when room is made', () => {
    const { clock, store, create, placed, events } = sandbox({ profile, nodes: [node('a', { gpus: 8 })] })
    create(pod('x', { gpus: 8 }))
    clock.runUntil(seconds(5))
    create(pod('y', { gpus: 8 }))
    clock.runUntil(seconds(60))
    const why =
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
    expect(scheduled(store.get(Pod, 'default/y'))).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: why,
    })
    expect(events('y')).toEqual([`Warning FailedScheduling: ${why}`])
    store.delete(Pod, 'default/x', 'test')
    clock.runUntil(seconds(65))
    expect(placed()).toEqual({ y: 'a' })
  })

  it('waits for the first node', () => {
    const { clock, store, create, placed, events } = sandbox({ profile, nodes: [] })
    create(pod('x'))
    clock.runUntil(seconds(1))
    expect(events('x')[0]).toBe('Warning FailedScheduling: no nodes available to schedule pods')
    addReadyNode(store, node('late'))
    clock.runUntil(seconds(30))
    expect(placed()).toEqual({ x: 'late' })
  })

  it('preempts: victims are marked and deleted, the pod is promised the node and gets it', () => {
    const { clock, store, create, placed, events } = sandbox({ profile, nodes: [node('a', { gpus: 8 })] })
    create(pod('low', { gpus: 8 }))
    clock.runUntil(seconds(5))
    const marked: o.Pod[] = []
    store.watch(Pod, {}, ({ object }) => {
      if (object.status.conditions?.some((c) => c.type === 'DisruptionTarget')) marked.push(object)
    })
    create(pod('high', { gpus: 8, priority: 100, spec: { priorityClassName: 'urgent' } }))
    clock.runUntil(seconds(20))
    expect(marked[0]?.status.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    })
    expect(placed()).toEqual({ high: 'a' })
    const { uid } = store.get(Pod, 'default/high').metadata
    expect(events('low')).toContain(`Normal Preempted: Preempted by pod ${uid} on node a`)
    expect(events('high')[0]).toBe('Warning FailedScheduling: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu.')
  })

  it('leaves pods of other schedulers and finished pods alone', () => {
    const { clock, store, create, placed } = sandbox({ profile, nodes: [node('a', { gpus: 8 })] })
    create(pod('theirs', { gpus: 8, spec: { schedulerName: 'kueue' } }), pod('done', { gpus: 8, node: 'a' }))
    store.patch(Pod, 'default/done', { status: { phase: 'Succeeded' } }, 'test', { subresource: 'status' })
    create(pod('ours', { gpus: 8 }))
    clock.runUntil(seconds(5))
    expect(placed()).toEqual({ theirs: undefined, done: 'a', ours: 'a' })
  })
})

describe('the scheduler', () => {
  it('counts pods it has assigned before it sees them bound', () => {
    const { clock, create, store } = sandbox()
    create(...Array.from({ length: 6 }, (_, i) => pod(`p${i}`, { gpus: 4 })))
    clock.runUntil(seconds(5))
    const perNode = Map.groupBy(store.list(Pod), (p) => p.spec.nodeName)
    expect([perNode.get('a')?.length, perNode.get('b')?.length, perNode.get(undefined)?.length]).toEqual([2, 2, 2])
  })

  it('takes back what it could not bind, and tries again', () => {
    const { clock, store, scheduler, create, placed } = sandbox({ nodes: [node('a', { gpus: 8 })] })
    const bind = store.bind.bind(store)
    let failures = 2
    store.bind = (...args: Parameters<typeof bind>) => {
      if (failures-- > 0) store.get(Node, 'missing')
      bind(...args)
    }
    create(pod('x', { gpus: 8 }))
    clock.runUntil(seconds(1))
    expect(scheduled(store.get(Pod, 'default/x'))).toMatchObject({ status: 'False', reason: 'SchedulerError' })
    expect(scheduler.cache.node('a')!.pods).toHaveLength(0)
    clock.runUntil(minutes(1))
    expect(placed()).toEqual({ x: 'a' })
  })

  it('sends nothing when the same failure repeats', () => {
    const { clock, store, create } = sandbox({ nodes: [node('a', { gpus: 4 })] })
    create(pod('x', { gpus: 8 }))
    clock.runUntil(seconds(10))
    const { resourceVersion } = store.get(Pod, 'default/x').metadata
    clock.runUntil(minutes(12))
    expect(store.get(Pod, 'default/x').metadata.resourceVersion).toBe(resourceVersion)
  })

  it('does the same with the same seed, and ties fall differently with another', () => {
    const run = (seed: number) => {
      const { clock, create, placed } = sandbox({ seed, nodes: [0, 1, 2, 3].map((i) => node(`n${i}`, { gpus: 8 })) })
      create(...Array.from({ length: 8 }, (_, i) => pod(`p${i}`, { gpus: 1, labels: {} })))
      clock.runUntil(seconds(10))
      return JSON.stringify(placed())
    }
    expect(run(7)).toBe(run(7))
    expect(new Set([1, 2, 3, 4, 5].map(run)).size).toBeGreaterThan(1)
  })
})
