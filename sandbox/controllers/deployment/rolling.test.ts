import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type * as o from '../../kube/objects.ts'
import { deploymentOf } from '../testkit.ts'
import { maxUnavailableOf, newReplicasOf, resolveFenceposts } from './fenceposts.ts'
import { DESIRED_REPLICAS, lastRevision, MAX_REPLICAS, newReplicaSetAnnotations, REVISION } from './revision.ts'
import { scaleDownBudget } from './rolling.ts'
import { activeOrLatest, isScalingEvent, proportionalSizes } from './scale.ts'

const rolling = (replicas: number, maxSurge: o.IntOrString, maxUnavailable: o.IntOrString): o.Deployment =>
  deploymentOf(replicas, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } })

interface SetOptions {
  name?: string
  available?: number
  /** Seconds after the first set that this one was made. */
  age?: number
  annotations?: Record<string, string>
}

const setOf = (replicas: number, { name = 'rs', available = replicas, age = 0, annotations }: SetOptions = {}) =>
  ({
    metadata: { name, uid: name, creationTimestamp: `2026-01-01T00:00:${String(age).padStart(2, '0')}Z`, annotations },
    spec: { replicas },
    status: { replicas, availableReplicas: available },
  }) as unknown as o.ReplicaSet

describe('fenceposts', () => {
  it.each([
    { surge: '25%', unavailable: '25%', desired: 10, gives: [3, 2] },
    { surge: '25%', unavailable: '25%', desired: 1, gives: [1, 0] },
    { surge: '39%', unavailable: '39%', desired: 10, gives: [4, 3] },
    { surge: '0%', unavailable: '1%', desired: 2, gives: [0, 1] },
    { surge: '1%', unavailable: '0%', desired: 2, gives: [1, 0] },
    { surge: '0%', unavailable: '0%', desired: 0, gives: [0, 1] },
    { surge: 0, unavailable: 0, desired: 4, gives: [0, 1] },
    { surge: 2, unavailable: '100%', desired: 3, gives: [2, 3] },
    { surge: undefined, unavailable: '39%', desired: 10, gives: [0, 3] },
    { surge: '39%', unavailable: undefined, desired: 10, gives: [4, 0] },
  ])('$surge and $unavailable of $desired are $gives', ({ surge, unavailable, desired, gives }) => {
    const resolved = resolveFenceposts(surge, unavailable, desired)
    expect([resolved.surge, resolved.unavailable]).toEqual(gives)
  })

  it('never let more be unavailable than there should be', () => {
    expect(maxUnavailableOf(rolling(5, 0, 10))).toBe(5)
    expect(maxUnavailableOf(rolling(0, 0, 10))).toBe(0)
    expect(maxUnavailableOf(deploymentOf(10, { strategy: { type: 'Recreate' } }))).toBe(0)
  })
})

describe('the new ReplicaSet', () => {
  it.each([
    { replicas: 10, surge: 0, old: 10, has: 0, gets: 0 },
    { replicas: 10, surge: 2, old: 10, has: 0, gets: 2 },
    { replicas: 10, surge: 2, old: 5, has: 0, gets: 7 },
    { replicas: 10, surge: 2, old: 10, has: 2, gets: 2 },
    { replicas: 1, surge: 5, old: 0, has: 1, gets: 1 },
    { replicas: 6, surge: 2, old: 8, has: 6, gets: 6 },
    { replicas: 10, surge: '25%', old: 10, has: 0, gets: 3 },
  ])(
    'of $replicas with surge $surge next to $old old pods goes from $has to $gets',
    ({ replicas, surge, old, has, gets }) => {
      const sets = [setOf(old, { name: 'old' }), setOf(has, { name: 'new' })]
      expect(newReplicasOf(rolling(replicas, surge, 0), sets, has)).toBe(gets)
    },
  )

  it('never brings the total over replicas + surge, nor itself over replicas', () => {
    const count = fc.integer({ min: 0, max: 50 })
    fc.assert(
      fc.property(count, count, count, count, (replicas, surge, old, hasAtMost) => {
        const has = Math.min(hasAtMost, replicas)
        const next = newReplicasOf(rolling(replicas, surge, 1), [setOf(old), setOf(has)], has)
        expect(next).toBeGreaterThanOrEqual(has)
        expect(next).toBeLessThanOrEqual(replicas)
        if (next > has) expect(next + old).toBeLessThanOrEqual(replicas + surge)
      }),
    )
  })
})

describe('the old ReplicaSets', () => {
  it.each([
    { what: 'none when all are needed', d: rolling(10, 1, 0), old: 10, has: 0, available: 0, budget: 0 },
    { what: 'maxUnavailable at first', d: rolling(10, 0, 2), old: 10, has: 0, available: 0, budget: 2 },
    {
      what: 'none while the new ones are not available',
      d: rolling(10, 3, 2),
      old: 8,
      has: 5,
      available: 0,
      budget: 0,
    },
    {
      what: 'as many as new ones have become available',
      d: rolling(10, 3, 2),
      old: 8,
      has: 5,
      available: 3,
      budget: 3,
    },
  ])('may lose $what', ({ d, old, has, available, budget }) => {
    const current = setOf(has, { name: 'new', available })
    expect(scaleDownBudget(d, [setOf(old), current], current)).toBe(budget)
  })
})

describe('a change of size amid a rollout', () => {
  const sized = (replicas: number, age: number, maxReplicas: number) =>
    setOf(replicas, { name: `rs-${age}`, age, annotations: { [MAX_REPLICAS]: String(maxReplicas) } })

  it.each([
    { what: 'up by half', to: 15, surge: 0, from: [6, 4], max: 10, gives: [9, 6] },
    { what: 'down by half', to: 5, surge: 0, from: [6, 4], max: 10, gives: [3, 2] },
    { what: 'to nothing', to: 0, surge: 0, from: [6, 4], max: 10, gives: [0, 0] },
    {
      what: 'up with what rounding leaves to the newer of two alike',
      to: 11,
      surge: 0,
      from: [5, 5],
      max: 10,
      gives: [6, 5],
    },
    {
      what: 'down with what rounding leaves to the older of two alike',
      to: 9,
      surge: 0,
      from: [5, 5],
      max: 10,
      gives: [4, 5],
    },
    { what: 'not at all', to: 7, surge: 3, from: [6, 4], max: 10, gives: [6, 4] },
  ])('is shared $what', ({ to, surge, from, max, gives }) => {
    const sets = from.map((replicas, i) => sized(replicas, i, max))
    const byAge = proportionalSizes(rolling(to, surge, 0), sets)
    const given = (name: string) => byAge.find(({ rs }) => rs.metadata.name === name)!.replicas
    const newerFirst = gives[0] !== gives[1] && from[0] === from[1] && to > 10
    expect(sets.map((rs) => given(rs.metadata.name))).toEqual(newerFirst ? [...gives].reverse() : gives)
  })

  it('always ends at replicas + surge over all sets', () => {
    const size = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 0, max: 200 }),
        size,
        (sizes, to, surge) => {
          const total = sizes.reduce((sum, n) => sum + n, 0)
          const sets = sizes.map((replicas, i) => sized(replicas, i, total))
          const after = proportionalSizes(rolling(to, surge, 1), sets)
          const sum = after.reduce((n, { replicas }) => n + replicas, 0)
          expect(sum).toBe(to === 0 ? 0 : to + surge)
          for (const { replicas } of after) expect(replicas).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  it('is told from a rollout by the size the sets were made for', () => {
    const madeFor = (n: number) => setOf(3, { annotations: { [DESIRED_REPLICAS]: String(n) } })
    const scaling = (n: number) => isScalingEvent(rolling(10, 1, 1), { current: undefined, old: [], all: [madeFor(n)] })
    expect([scaling(10), scaling(5)]).toEqual([false, true])
  })

  it('goes to the only set that has pods, or to the newest', () => {
    const [a, b] = [setOf(0, { name: 'a', age: 1 }), setOf(0, { name: 'b', age: 2 })]
    expect(activeOrLatest(undefined, [b, a])?.metadata.name).toBe('b')
    expect(activeOrLatest(setOf(0, { name: 'new' }), [a, b])?.metadata.name).toBe('new')
    expect(activeOrLatest(setOf(0, { name: 'new' }), [setOf(2, { name: 'c' }), a])?.metadata.name).toBe('c')
    expect(activeOrLatest(setOf(1), [setOf(2)])).toBeUndefined()
  })
})

describe('revisions', () => {
  it('copy what the Deployment is annotated with, but not what is its own', () => {
    const d = rolling(4, 1, 0)
    d.metadata.annotations = { team: 'chat', [REVISION]: '7', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    expect(newReplicaSetAnnotations(d, undefined, 8, false)).toEqual({
      team: 'chat',
      [REVISION]: '8',
      [DESIRED_REPLICAS]: '4',
      [MAX_REPLICAS]: '5',
    })
  })

  it('keep those a set had before, the oldest dropped when they grow too long', () => {
    const d = rolling(4, 1, 0)
    const history = 'deployment.kubernetes.io/revision-history'
    const before = { [REVISION]: '900', [history]: Array.from({ length: 500 }, (_, i) => 400 + i).join(',') }
    const after = newReplicaSetAnnotations(d, before, 901, true)!
    expect(after[REVISION]).toBe('901')
    expect(after[history]!.length).toBeLessThanOrEqual(2000)
    expect(after[history]!.endsWith(',899,900')).toBe(true)
    expect(after[history]!.startsWith('401,')).toBe(true)
    expect(newReplicaSetAnnotations(d, after, 901, true)).toBe(after)
  })

  it('go back to the second highest', () => {
    const revision = (n: number) => setOf(0, { annotations: { [REVISION]: String(n) } })
    expect(lastRevision([revision(3), revision(1), revision(5)])).toBe(3)
    expect(lastRevision([revision(1)])).toBe(0)
  })
})
