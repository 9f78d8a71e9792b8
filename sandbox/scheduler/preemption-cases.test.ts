import { describe, expect, it } from 'vitest'
import type { Pod } from '../kube/objects.ts'
import { randomStream } from '../world/random.ts'
import { seconds } from '../world/time.ts'
import { Algorithm } from './algorithm.ts'
import { SchedulerCache } from './cache.ts'
import type { DisruptionBudget } from './disruption-budgets.ts'
import { defaultPlugins } from './framework/plugins/index.ts'
import { podInfo } from './framework/pod-info.ts'
import { Preemption } from './preemption.ts'
import { node, pod } from './testing.ts'

// the cases of pkg/scheduler/framework/plugins/defaultpreemption/default_preemption_test.go

const listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }
const SIZES = { small: 1, medium: 2, large: 3, whole: 5 } as const
const PRIORITIES = { negative: -100, low: 0, mid: 100, high: 1000, top: 10_000 } as const

/** `name size priority`, and the minute it started. */
function running(on: string, spec: string): Pod {
  const [name, size, priority, minute] = spec.split(' ')
  return pod(name!, {
    node: on,
    gpus: SIZES[size as keyof typeof SIZES],
    priority: PRIORITIES[priority as keyof typeof PRIORITIES],
    ...(minute && { status: { startTime: `2026-01-01T00:0${minute}:00Z` } }),
  })
}

interface Cluster {
  readonly [node: string]: readonly string[]
}

function preempt(cluster: Cluster, incoming: string, options: { budgets?: DisruptionBudget[]; seed?: number } = {}) {
  const cache = new SchedulerCache()
  for (const name in cluster) cache.setNode(node(name, { gpus: 5 }))
  for (const [name, pods] of Object.entries(cluster)) for (const spec of pods) cache.addPod(running(name, spec))
  const shared = { cache, nominations: { on: () => [] }, random: randomStream(options.seed ?? 1, 'test') }
  const [size, priority] = incoming.split(' ') as [keyof typeof SIZES, keyof typeof PRIORITIES]
  const asking = podInfo(pod('p', { gpus: SIZES[size], priority: PRIORITIES[priority], labels: {} }))
  const decision = new Algorithm({ ...shared, plugins: defaultPlugins(listers) }).schedule(asking)
  if (decision.kind !== 'unfit') throw new Error('fits without preemption')
  const { filters, diagnosis } = decision
  const budgets = options.budgets ?? []
  const { candidate } = new Preemption(shared).evaluate(asking, filters, diagnosis, { now: seconds(3600), budgets })
  if (!candidate) return undefined
  const { victims, violations } = candidate
  return { node: candidate.node, victims: victims.map((v) => v.pod.metadata.name), violations }
}

describe('victims on a node', () => {
  it.each<[string, readonly string[], string, string[] | undefined]>([
    ['all of lower priority', ['a large mid'], 'large high', ['a']],
    ['none of higher priority', ['a large high'], 'large low', undefined],
    ['not the small one of the lowest priority', ['a small low', 'b large mid'], 'large high', ['b']],
    ['of several priorities', ['a small mid', 'b small low', 'c medium mid', 'd small high'], 'large high', ['c', 'b']],
    [
      'the one that started later, of equals',
      ['a small low 5', 'b small low 4', 'c medium mid 3', 'd small high 2'],
      'large high',
      ['c', 'a'],
    ],
  ])('%s', (_, pods, incoming, expected) => {
    expect(preempt({ node1: pods }, incoming)?.victims).toEqual(expected)
  })
})

describe('the node', () => {
  it.each<[string, Cluster, string, string]>([
    [
      'with the lowest highest priority',
      {
        node1: ['a medium mid 1', 'b large mid 1'],
        node2: ['c medium mid 1', 'd medium low 1'],
        node3: ['e medium low 1', 'f medium low 1'],
      },
      'whole high',
      'node3',
    ],
    [
      'with the lowest sum of priorities',
      {
        node1: ['a medium mid 1', 'b large mid 1'],
        node2: ['c large mid 1', 'd medium low 1'],
        node3: ['e medium mid 1', 'f medium mid 1'],
      },
      'whole high',
      'node2',
    ],
    [
      'with the fewest pods',
      {
        node1: ['a small mid 1', 'b small negative 1', 'c small mid 1', 'd small negative 1'],
        node2: ['e large mid 1', 'f medium negative 1'],
        node3: ['g medium mid 1', 'h small negative 1', 'i small low 1'],
      },
      'whole high',
      'node2',
    ],
    [
      'whose sum is the lowest when each priority is made positive',
      {
        node1: ['a small mid 1', 'b small negative 1', 'c small negative 1'],
        node2: ['d large mid 1', 'e medium negative 1'],
        node3: ['f medium mid 1', 'g small negative 1', 'h small low 1'],
      },
      'whole high',
      'node2',
    ],
    [
      'by priority before sums and numbers',
      {
        node1: ['a small mid 1', 'b small low 1', 'c small low 1'],
        node2: ['d large high 1'],
        node3: ['e medium mid 1', 'f small low 1', 'g small low 1', 'h small low 1'],
        node4: ['i medium mid 1', 'j small mid 1', 'k small mid 1', 'l small negative 1'],
      },
      'whole top',
      'node1',
    ],
    [
      'whose pods started last',
      {
        node1: ['a medium mid 2', 'b medium mid 2'],
        node2: ['c medium mid 3', 'd medium mid 3'],
        node3: ['e medium mid 1', 'f medium mid 1'],
      },
      'whole high',
      'node2',
    ],
    [
      'whose longest running pod started last',
      {
        node1: ['a medium mid 4', 'b medium mid 2'],
        node2: ['c medium mid 5', 'd medium mid 1'],
        node3: ['e medium mid 3', 'f medium mid 6'],
      },
      'whole high',
      'node3',
    ],
    [
      'whose most important pod started last',
      {
        node1: ['a medium low 4', 'b medium mid 2'],
        node2: ['c medium mid 6', 'd medium low 1'],
        node3: ['e medium low 3', 'f medium mid 5'],
      },
      'whole high',
      'node2',
    ],
  ])('%s', (_, cluster, incoming, expected) => {
    for (const seed of [1, 2, 3]) expect(preempt(cluster, incoming, { seed })?.node).toBe(expected)
  })
})

describe('budgets', () => {
  const budget = (disruptionsAllowed: number, disrupted: string[] = []): DisruptionBudget => ({
    metadata: { name: 'vllm', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'vllm' } } },
    status: {
      disruptionsAllowed,
      disruptedPods: Object.fromEntries(disrupted.map((name) => [name, '2026-01-01T00:00:00Z'])),
    },
  })

  it.each<[string, readonly string[], DisruptionBudget, number]>([
    ['of two pods, one may go', ['a medium mid', 'b medium mid'], budget(1), 1],
    ['a pod that was let go is not here', ['a medium mid', 'b medium mid'], budget(1, ['x']), 1],
    ['a pod that was let go does not count again', ['a medium mid', 'b medium mid'], budget(1, ['b']), 0],
    ['nor for the others', ['a small mid', 'b medium mid', 'c medium mid'], budget(1, ['c']), 1],
  ])('are broken as often as must be: %s', (_, pods, allowed, violations) => {
    const found = preempt({ node1: pods }, 'whole high', { budgets: [allowed] })
    expect(found).toMatchObject({ violations })
    expect(found!.victims).toHaveLength(pods.length)
  })

  it('of other namespaces and empty ones do not count', () => {
    const elsewhere = { ...budget(0), metadata: { name: 'vllm', namespace: 'other' } }
    const empty = { ...budget(0), spec: { selector: {} } }
    const found = preempt({ node1: ['a medium mid', 'b medium mid'] }, 'whole high', { budgets: [elsewhere, empty] })
    expect(found?.violations).toBe(0)
  })
})
