import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../kube/objects.ts'
import { randomStream } from '../world/random.ts'
import { seconds } from '../world/time.ts'
import { Algorithm } from './algorithm.ts'
import { SchedulerCache } from './cache.ts'
import type { DisruptionBudget } from './disruption-budgets.ts'
import { defaultPlugins } from './framework/plugins/index.ts'
import { podInfo } from './framework/pod-info.ts'
import { Preemption } from './preemption.ts'
import { node, pod } from './testing.ts'

const listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }

function preempt(
  nodes: readonly Node[],
  running: readonly Pod[],
  incoming: Pod,
  budgets: DisruptionBudget[] = [],
  seed = 1,
) {
  const cache = new SchedulerCache()
  for (const each of nodes) cache.setNode(each)
  for (const each of running) cache.addPod(each)
  const shared = { cache, nominations: { on: () => [] }, random: randomStream(seed, 'test') }
  const decision = new Algorithm({ ...shared, plugins: defaultPlugins(listers) }).schedule(podInfo(incoming))
  if (decision.kind !== 'unfit') throw new Error('fits without preemption')
  const { filters, diagnosis } = decision
  const options = { now: seconds(3600), budgets }
  const { candidate } = new Preemption(shared).evaluate(podInfo(incoming), filters, diagnosis, options)
  return candidate && { node: candidate.node, victims: candidate.victims.map((v) => v.pod.metadata.name) }
}

const started = (name: string, on: string, priority: number, minute: number, gpus = 4) =>
  pod(name, { gpus, node: on, priority, status: { startTime: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z` } })
const two = [node('a', { gpus: 8 }), node('b', { gpus: 8 })]

describe('preemption', () => {
  it('spares the more important pods where it can', () => {
    const running = [started('low', 'a', 1, 1), started('lower', 'a', 0, 1)]
    expect(preempt([two[0]!], running, pod('new', { gpus: 4, priority: 10 }))).toEqual({
      node: 'a',
      victims: ['lower'],
    })
  })

  it('spares the pod that has run longer among equals', () => {
    const running = [started('young', 'a', 0, 9), started('old', 'a', 0, 1)]
    expect(preempt([two[0]!], running, pod('new', { gpus: 4, priority: 10 }))).toEqual({
      node: 'a',
      victims: ['young'],
    })
  })

  it('never takes pods of the same priority', () => {
    const running = [started('same', 'a', 10, 1, 8)]
    expect(preempt([two[0]!], running, pod('new', { gpus: 4, priority: 10 }))).toBeUndefined()
  })

  it.each<[string, Pod[], string]>([
    ['the lowest highest priority', [started('p', 'a', 5, 1, 8), started('q', 'b', 3, 1, 8)], 'b'],
    [
      'the lowest sum of priorities',
      [started('p1', 'a', 5, 1), started('p2', 'a', 4, 1), started('q1', 'b', 5, 1), started('q2', 'b', 3, 1)],
      'b',
    ],
    ['the fewest victims', [started('p1', 'a', 0, 1), started('p2', 'a', 0, 1), started('q', 'b', 0, 1, 8)], 'b'],
    ['the latest start', [started('p', 'a', 0, 5, 8), started('q', 'b', 0, 7, 8)], 'b'],
  ])('prefers %s', (_, running, expected) => {
    for (const seed of [1, 2, 3, 4])
      expect(preempt(two, running, pod('new', { gpus: 8, priority: 10 }), [], seed)?.node).toBe(expected)
  })

  it('keeps disruption budgets where another node does not break one', () => {
    const budget = {
      metadata: { name: 'chat', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'chat' } } },
      status: { disruptionsAllowed: 0 },
    }
    const guarded = { ...started('guarded', 'a', 0, 1, 8) }
    guarded.metadata = { ...guarded.metadata, labels: { app: 'chat' } }
    const running = [guarded, started('free', 'b', 5, 1, 8)]
    expect(preempt(two, running, pod('new', { gpus: 8, priority: 10 }), [budget])?.node).toBe('b')
    expect(preempt(two, running, pod('new', { gpus: 8, priority: 10 }))?.node).toBe('a')
  })
})
