import { describe, expect, it } from 'vitest'
import type { Pod } from '../../kube/objects.ts'
import { VirtualClock } from '../../world/clock.ts'
import { minutes, seconds } from '../../world/time.ts'
import { ASSIGNED_POD_ADD, ASSIGNED_POD_DELETE, NODE_ADD, nodeChanges } from '../framework/events.ts'
import { defaultPlugins } from '../framework/plugins/index.ts'
import { schedulingGates } from '../framework/plugins/scheduling-gates.ts'
import { node, pod } from '../testing.ts'
import type { QueuedPod } from './queued-pod.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

function setUp() {
  const clock = new VirtualClock()
  const known = new Map<string, Pod>()
  const listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }
  const queue = new SchedulingQueue({
    clock,
    listeners: defaultPlugins(listers),
    gates: [schedulingGates],
    lister: (key) => known.get(key),
  })
  /** Pops the pod and gives it back as rejected by these plugins. */
  const reject = (...plugins: string[]): QueuedPod => {
    const queued = queue.pop()!
    queued.rejectors = new Set(plugins)
    queue.addUnschedulable(queued)
    return queued
  }
  return { clock, queue, reject }
}

const names = (queue: SchedulingQueue) => {
  const popped: string[] = []
  for (let next = queue.pop(); next; next = queue.pop()) popped.push(next.info.pod.metadata.name)
  return popped
}

describe('the scheduling queue', () => {
  it('gives the higher priority first, then the earlier', () => {
    const { queue } = setUp()
    queue.add(pod('a'))
    queue.add(pod('b', { priority: 5 }))
    queue.add(pod('c'))
    expect(names(queue)).toEqual(['b', 'a', 'c'])
  })

  it('keeps a rejected pod until something changes that its rejector cares about', () => {
    const { queue, reject } = setUp()
    queue.add(pod('gpu', { gpus: 8 }))
    reject('NodeResourcesFit')
    queue.move(ASSIGNED_POD_ADD, undefined, pod('other', { node: 'a' }))
    queue.move(NODE_ADD, undefined, node('small', { gpus: 4 }))
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 1 })
    queue.move(NODE_ADD, undefined, node('large', { gpus: 8 }))
    expect(queue.sizes.unschedulable).toBe(0)
  })

  it('does not move for a deletion of a pod that held nothing', () => {
    const { queue, reject } = setUp()
    queue.add(pod('gpu', { gpus: 8 }))
    reject('NodeResourcesFit')
    queue.move(ASSIGNED_POD_DELETE, pod('pending'), undefined)
    expect(queue.sizes.unschedulable).toBe(1)
    queue.move(ASSIGNED_POD_DELETE, pod('running', { node: 'a' }), undefined)
    expect(queue.sizes.unschedulable).toBe(0)
  })

  it('takes a pod early from the backoff queue when nothing else is to do', () => {
    const { queue, reject } = setUp()
    queue.add(pod('gpu', { gpus: 8 }))
    reject('NodeResourcesFit')
    queue.move(ASSIGNED_POD_DELETE, pod('running', { node: 'a' }), undefined)
    expect(queue.sizes).toEqual({ active: 0, backoff: 1, unschedulable: 0 })
    queue.add(pod('fresh'))
    expect(names(queue)).toEqual(['fresh', 'gpu'])
  })

  it('does not take a pod early that met an error', () => {
    const { clock, queue, reject } = setUp()
    queue.add(pod('a'))
    reject()
    expect(queue.pop()).toBeUndefined()
    clock.runUntil(seconds(1.9))
    expect(queue.sizes.active).toBe(0)
    // 1 s of backoff ends within the second from 1 s on, and is seen at the next whole one
    clock.runUntil(seconds(2))
    expect(queue.sizes.active).toBe(1)
  })

  it('doubles the backoff up to ten seconds', () => {
    const { clock, queue, reject } = setUp()
    queue.add(pod('a'))
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      reject()
      const from = clock.now
      while (queue.sizes.active === 0) clock.runUntil(clock.now + seconds(1))
      waits.push((clock.now - from) / 1e6)
    }
    expect(waits).toEqual([2, 3, 5, 9, 11, 11])
  })

  it('judges a rejected pod by what changed while it was tried', () => {
    const { queue } = setUp()
    queue.add(pod('gpu', { gpus: 8 }))
    const trying = queue.pop()!
    queue.move(ASSIGNED_POD_DELETE, pod('running', { node: 'a' }), undefined)
    trying.rejectors = new Set(['NodeResourcesFit'])
    queue.addUnschedulable(trying)
    expect(queue.sizes).toEqual({ active: 0, backoff: 1, unschedulable: 0 })
  })

  it('forgets what changed before the pod was tried', () => {
    const { queue } = setUp()
    queue.add(pod('first'))
    queue.add(pod('gpu', { gpus: 8 }))
    const first = queue.pop()!
    queue.move(ASSIGNED_POD_DELETE, pod('running', { node: 'a' }), undefined)
    const trying = queue.pop()!
    queue.done(first.info.uid)
    trying.rejectors = new Set(['NodeResourcesFit'])
    queue.addUnschedulable(trying)
    expect(queue.sizes.unschedulable).toBe(1)
  })

  it('tries a pod again after five minutes without any change', () => {
    const { clock, queue, reject } = setUp()
    clock.runUntil(seconds(1))
    queue.add(pod('gpu', { gpus: 8 }))
    reject('NodeResourcesFit')
    clock.runUntil(minutes(5))
    expect(queue.sizes.unschedulable).toBe(1)
    clock.runUntil(minutes(5) + seconds(30))
    expect(queue.sizes.active).toBe(1)
  })

  it('holds pods with gates until the gates are gone, whatever else changes', () => {
    const { clock, queue } = setUp()
    const gated = pod('gated', { spec: { schedulingGates: [{ name: 'wait' }] } })
    queue.add(gated)
    expect(queue.pop()).toBeUndefined()
    queue.move(NODE_ADD, undefined, node('a'))
    clock.runUntil(minutes(10))
    expect(queue.pop()).toBeUndefined()
    const free = {
      ...gated,
      metadata: { ...gated.metadata, resourceVersion: '2' },
      spec: { ...gated.spec, schedulingGates: [] },
    }
    queue.update(gated, free)
    expect(names(queue)).toEqual(['gated'])
  })

  it('moves for the taint that went, not for the one that stayed', () => {
    const { queue, reject } = setUp()
    const taint = { key: 'gpu', effect: 'NoSchedule' as const }
    queue.add(pod('a'))
    reject('TaintToleration')
    const [tainted, relabelled, free] = [
      node('n', { taints: [taint] }),
      node('n', { taints: [taint], labels: { x: 'y' } }),
      node('n', { labels: { x: 'y' } }),
    ]
    for (const event of nodeChanges(tainted!, relabelled!)) queue.move(event, tainted, relabelled)
    expect(queue.sizes.unschedulable).toBe(1)
    for (const event of nodeChanges(relabelled!, free!)) queue.move(event, relabelled, free)
    expect(queue.sizes.unschedulable).toBe(0)
  })

  it('drops deleted pods from wherever they wait', () => {
    const { queue, reject } = setUp()
    const [active, rejected] = [pod('active'), pod('rejected', { priority: 1 })]
    queue.add(rejected)
    reject('NodeResourcesFit')
    queue.add(active)
    queue.delete(active)
    queue.delete(rejected)
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0 })
  })
})
