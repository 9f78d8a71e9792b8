import { describe, expect, it } from 'vitest'
import type * as o from '../../../kube/objects.ts'
import { factsOf } from '../../../scheduler/framework/pod-info.ts'
import { zeroResource } from '../../../scheduler/framework/resources.ts'
import { minutes, seconds } from '../../../world/time.ts'
import { gpuShape } from '../testkit.ts'
import { allowedDisruptions } from './budgets.ts'
import { candidatesOf, type InstanceType } from './candidates.ts'
import { Remaining } from './limits.ts'
import { disruptionCost, drainRank, isDrainable, isEvictable, isProtected } from './pods.ts'
import { allows, customLabels, isFlexible } from './requirements.ts'

const poolWith = (spec: object): o.NodePool =>
  ({ metadata: { name: 'gpu' }, spec: { template: { spec: { requirements: [] } }, ...spec } }) as unknown as o.NodePool

const pod = (metadata: object = {}, spec: object = {}, status: object = { phase: 'Running' }): o.Pod =>
  ({ metadata: { name: 'p', namespace: 'default', ...metadata }, spec: { containers: [], ...spec }, status }) as never

describe('a budget', () => {
  const allowed = (budgets: object[] | undefined, nodes = 10, reason: 'Empty' | 'Underutilized' = 'Empty', now = 0) =>
    allowedDisruptions(poolWith({ disruption: { budgets } }), nodes, reason, now)

  it('is a tenth where none is given, rounded up', () => {
    expect(allowed(undefined)).toBe(1)
    expect(allowed(undefined, 11)).toBe(2)
  })

  it('is the strictest of those for the reason', () => {
    const budgets = [{ nodes: '50%' }, { nodes: '1', reasons: ['Underutilized'] }, { nodes: '0', reasons: ['Drifted'] }]
    expect(allowed(budgets)).toBe(5)
    expect(allowed(budgets, 10, 'Underutilized')).toBe(1)
  })

  it('with a schedule counts within its duration alone', () => {
    // a trial begins on a Thursday at midnight
    const budgets = [{ nodes: '0', schedule: '0 9 * * mon-fri', duration: '8h' }]
    const at = (hours: number) => allowed(budgets, 10, 'Empty', minutes(60 * hours))
    expect([at(8.9), at(9), at(16.9), at(17)]).toEqual([Number.POSITIVE_INFINITY, 0, 0, Number.POSITIVE_INFINITY])
    expect(at(48 + 10)).toBe(Number.POSITIVE_INFINITY)
    expect(allowed([{ nodes: '2', schedule: '@daily', duration: '1h' }], 10, 'Empty', minutes(30))).toBe(2)
  })
})

describe('a requirement', () => {
  const cases: [string, o.NodeRequirement, string | undefined, boolean][] = [
    ['In', { key: 'k', operator: 'In', values: ['a'] }, 'a', true],
    ['In, absent', { key: 'k', operator: 'In', values: ['a'] }, undefined, false],
    ['NotIn, absent', { key: 'k', operator: 'NotIn', values: ['a'] }, undefined, true],
    ['Exists', { key: 'k', operator: 'Exists' }, 'x', true],
    ['DoesNotExist', { key: 'k', operator: 'DoesNotExist' }, 'x', false],
    ['Gt, equal', { key: 'k', operator: 'Gt', values: ['4'] }, '4', false],
    ['Gte, equal', { key: 'k', operator: 'Gte', values: ['4'] }, '4', true],
    ['Lte, above', { key: 'k', operator: 'Lte', values: ['4'] }, '5', false],
    ['Lt', { key: 'k', operator: 'Lt', values: ['4'] }, '3', true],
  ]
  it.each(cases)('%s', (_, requirement, value, expected) =>
    expect(allows(requirement, value === undefined ? {} : { k: value })).toBe(expected),
  )

  it('of a key of the team’s own makes the label', () => {
    const requirements: o.NodeRequirement[] = [
      { key: 'team', operator: 'In', values: ['a', 'b'] },
      { key: 'gone', operator: 'DoesNotExist' },
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
    ]
    expect(customLabels(requirements)).toEqual([{ team: 'a' }, { team: 'b' }])
  })

  it('may ask for several values to choose from', () => {
    const requirements: o.NodeRequirement[] = [{ key: 'family', operator: 'Exists', minValues: 2 }]
    expect(isFlexible(requirements, [{ labels: { family: 'g5' } }, { labels: { family: 'g6' } }])).toBe(true)
    expect(isFlexible(requirements, [{ labels: { family: 'g6' } }, { labels: { family: 'g6' } }])).toBe(false)
  })
})

describe('candidates', () => {
  const type = (name: string, gpus: number): InstanceType => {
    const { cpu, memory, gpu } = gpuShape(gpus)
    const offerings = [{ zone: 'a', capacityType: 'on-demand' as const, pricePerHour: gpus }]
    return { name, shape: { cpu, memory, ...(gpu ? { gpu } : {}) }, offerings }
  }
  const catalogue = [type('eight', 8), type('one', 1)]

  it('are cheapest first, and have room for what every DaemonSet takes', () => {
    const daemon = pod({}, { containers: [{ name: 'd', image: 'x', resources: { requests: { cpu: '2' } } }] })
    const [bare] = candidatesOf(poolWith({}), catalogue)
    const [less] = candidatesOf(poolWith({}), catalogue, [{ pod: daemon, facts: factsOf(daemon.spec) }])
    expect(bare!.type).toBe('one')
    expect(less!.allocatable.milliCpu).toBe(bare!.allocatable.milliCpu - 2000)
    expect(less!.capacity).toEqual(bare!.capacity)
  })

  it('stay within the limits, of which the largest takes its share until one is bought', () => {
    const limits = { 'nvidia.com/gpu': '9', nodes: '3' }
    const all = candidatesOf(poolWith({}), catalogue)
    const left = new Remaining(poolWith({ limits }), { resources: zeroResource(), nodes: 1 })
    const admitted = () => all.filter((one) => left.admits(one)).map((one) => one.type)
    expect(admitted()).toEqual(['one', 'eight'])
    left.take(all)
    expect(admitted()).toEqual(['one'])
    left.take(all.slice(0, 1))
    expect(admitted()).toEqual([])
  })
})

describe('pods', () => {
  const protectedBy = (value: string) => ({ annotations: { 'karpenter.sh/do-not-disrupt': value } })
  const running = (at: string) => ({ phase: 'Running', startTime: at })

  it('are protected always, or for a time', () => {
    expect(isProtected(pod(protectedBy('true')), 0)).toBe(true)
    expect(isProtected(pod(protectedBy('false')), 0)).toBe(false)
    const one = pod(protectedBy('10m'), {}, running('2026-01-01T00:00:00Z'))
    expect([isProtected(one, minutes(9)), isProtected(one, minutes(10))]).toEqual([true, false])
    expect(isEvictable(one, minutes(9))).toBe(false)
    expect(isDrainable(one, minutes(9))).toBe(true)
  })

  it('that tolerate the taint stay, and those that should have ended are given up', () => {
    const tolerant = pod({}, { tolerations: [{ key: 'karpenter.sh/disrupted', operator: 'Exists' }] })
    expect(isDrainable(tolerant, 0)).toBe(false)
    const ending = pod({ deletionTimestamp: '2026-01-01T00:00:00Z' })
    expect([isDrainable(ending, seconds(60)), isDrainable(ending, seconds(61))]).toEqual([true, false])
  })

  it('go in order: ordinary ones, daemons, critical ones', () => {
    const daemon = { ownerReferences: [{ kind: 'DaemonSet', name: 'd', uid: 'd', controller: true }] }
    const critical = { priorityClassName: 'system-cluster-critical' }
    expect([pod(), pod(daemon), pod({}, critical), pod(daemon, critical)].map(drainRank)).toEqual([0, 1, 2, 3])
  })

  it('cost by deletion cost and priority, and less the older the node is', () => {
    const dear = pod({ annotations: { 'controller.kubernetes.io/pod-deletion-cost': String(2 ** 27) } })
    const urgent = pod({}, { priority: 2 ** 26 })
    expect(disruptionCost([pod(), dear, urgent], 0, Number.POSITIVE_INFINITY)).toBe(1 + 2 + 3)
    expect(disruptionCost([pod(), pod()], minutes(15), minutes(60))).toBe(1.5)
    expect(disruptionCost([pod()], minutes(90), minutes(60))).toBe(0)
  })
})
