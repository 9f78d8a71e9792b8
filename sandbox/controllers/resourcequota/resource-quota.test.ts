import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { draft } from '../../apiserver/testkit.ts'
import { ApiError } from '../../kube/errors.ts'
import { ConfigMap, Deployment, keyOf, LimitRange, Pod, ReplicaSet, ResourceQuota } from '../../kube/kinds.ts'
import { defaultProfile, instant, type LagProfile } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import { compareQuantities, parseQuantity } from '../../kube/quantity.ts'
import { minutes, ms, seconds } from '../../world/time.ts'
import { deploymentController } from '../deployment.ts'
import { replicaSetController } from '../replicaset.ts'
import { deploymentOf, settle, type TestCluster, testCluster, WEB } from '../testkit.ts'
import { resourceQuotaController } from './resource-quota.ts'

const cluster = (profile = instant, seed = 1) =>
  testCluster({ controllers: [replicaSetController, deploymentController, resourceQuotaController()], profile, seed })

function quota({ store }: TestCluster, hard: Record<string, string>, more: object = {}, name = 'team'): void {
  store.create(ResourceQuota, draft({ name }, { hard, ...more }), 'test')
}

const status = ({ store }: TestCluster, name = 'team') => store.get(ResourceQuota, `default/${name}`).status

function pod({ store }: TestCluster, name: string, requests: object = {}, spec: object = {}): void {
  const gpu = (requests as Record<string, string>)['nvidia.com/gpu']
  const resources = { requests, ...(gpu ? { limits: { 'nvidia.com/gpu': gpu } } : {}) }
  store.create(Pod, draft({ name }, { containers: [{ name: 'main', image: 'app:1', resources }], ...spec }), 'test')
}

describe('a quota', () => {
  it('counts what is there, then what is created, then what is gone', () => {
    const c = cluster()
    pod(c, 'a', { cpu: '500m', 'nvidia.com/gpu': '2' })
    quota(c, { pods: '3', 'requests.cpu': '2', 'requests.nvidia.com/gpu': '4', 'count/configmaps': '1' })
    settle(c, seconds(1))
    const used = { pods: '1', 'requests.cpu': '500m', 'requests.nvidia.com/gpu': '2', 'count/configmaps': '0' }
    expect(status(c)).toEqual({ hard: c.store.get(ResourceQuota, 'default/team').spec.hard, used })
    pod(c, 'b', { cpu: '1', 'nvidia.com/gpu': '2' })
    expect(status(c).used).toMatchObject({ pods: '2', 'requests.cpu': '1500m', 'requests.nvidia.com/gpu': '4' })
    c.store.create(ConfigMap, draft({ name: 'c' }, {}), 'test')
    expect(() => c.store.create(ConfigMap, draft({ name: 'd' }, {}), 'test')).toThrow(
      'configmaps "d" is forbidden: exceeded quota: team, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
    )
    c.store.delete(Pod, 'default/a', 'test')
    c.store.delete(ConfigMap, 'default/c', 'test')
    settle(c, seconds(5))
    expect(status(c).used).toEqual({
      ...{ pods: '1', 'requests.cpu': '1', 'requests.nvidia.com/gpu': '2' },
      'count/configmaps': '0',
    })
  })

  it('frees what a pod that ended used, but still counts the object', () => {
    const c = cluster()
    quota(c, { pods: '2', 'requests.cpu': '2', 'count/pods': '2' })
    settle(c, seconds(1))
    pod(c, 'a', { cpu: '2' })
    settle(c, seconds(5))
    c.store.patch(Pod, 'default/a', { status: { phase: 'Succeeded' } }, 'test', { subresource: 'status' })
    settle(c, seconds(5))
    expect(status(c).used).toEqual({ pods: '0', 'requests.cpu': '0', 'count/pods': '1' })
  })

  it('takes new limits up at once and counts all anew every five minutes', () => {
    const c = cluster()
    quota(c, { pods: '2' })
    settle(c, seconds(1))
    c.store.patch(ResourceQuota, 'default/team', { spec: { hard: { pods: '5', services: '1' } } }, 'test')
    settle(c, seconds(1))
    expect(status(c)).toEqual({ hard: { pods: '5', services: '1' }, used: { pods: '0', services: '0' } })
    const before = c.store.get(ResourceQuota, 'default/team')
    c.store.updateStatus(
      ResourceQuota,
      { ...before, status: { ...before.status, used: { pods: '4', services: '0' } } },
      'test',
    )
    settle(c, minutes(4))
    expect(status(c).used).toMatchObject({ pods: '4' })
    settle(c, minutes(1))
    expect(status(c).used).toMatchObject({ pods: '0' })
  })

  it('limits only the pods in its scopes', () => {
    const c = cluster()
    const matchExpressions = [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-cluster-critical'] }]
    quota(c, { pods: '0' }, { scopeSelector: { matchExpressions } })
    settle(c, seconds(1))
    pod(c, 'a')
    expect(() => pod(c, 'b', {}, { priorityClassName: 'system-cluster-critical' })).toThrow(
      'pods "b" is forbidden: exceeded quota: team, requested: pods=1, used: pods=0, limited: pods=0',
    )
    settle(c, seconds(5))
    expect(status(c).used).toEqual({ pods: '0' })
  })

  it('holds a Deployment back: Events and conditions say why, and it goes on when there is room', () => {
    const c = cluster()
    quota(c, { pods: '2' })
    settle(c, seconds(1))
    c.store.create(Deployment, deploymentOf(3), 'test')
    settle(c, seconds(5))
    expect(c.pods()).toHaveLength(2)
    const [rs] = c.store.list(ReplicaSet)
    const why =
      /^pods "web-\w+-\w{5}" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2$/
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: expect.stringMatching(why),
    }
    expect(rs!.status.conditions).toContainEqual(expect.objectContaining(failure))
    expect(c.store.get(Deployment, WEB).status.conditions).toContainEqual(expect.objectContaining(failure))
    expect(c.events()).toContainEqual(
      expect.stringMatching(/^FailedCreate: Error creating: pods "web-.* exceeded quota: team/),
    )
    c.store.patch(ResourceQuota, 'default/team', { spec: { hard: { pods: '5' } } }, 'test')
    settle(c, minutes(20))
    expect(c.pods()).toHaveLength(3)
    expect(c.store.get(Deployment, WEB).status.conditions?.map(({ type }) => type)).not.toContain('ReplicaFailure')
  })

  it('is charged with the defaults of a limit range', () => {
    const c = cluster()
    const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }]
    c.store.create(LimitRange, draft({ name: 'defaults' }, { limits }), 'test')
    quota(c, { 'requests.cpu': '1' })
    settle(c, seconds(1))
    pod(c, 'a')
    pod(c, 'b')
    expect(() => pod(c, 'c')).toThrow(
      'exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1',
    )
    expect(c.store.get(Pod, 'default/a').metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu request for container main; cpu limit for container main',
    })
  })

  describe('whatever is created and deleted', () => {
    const step = fc.record({
      act: fc.constantFrom('create', 'delete', 'scale', 'wait'),
      gpus: fc.integer({ min: 0, max: 4 }),
      which: fc.nat(20),
    })
    const hard = { pods: '6', 'requests.nvidia.com/gpu': '8' }
    const property = (profile: LagProfile, look: (c: TestCluster) => void) =>
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(1000), (steps, seed) => {
        const c = cluster(profile, seed)
        quota(c, hard)
        c.store.create(Deployment, deploymentOf(1), 'test')
        settle(c, seconds(5))
        let next = 0
        for (const { act, gpus, which } of steps) {
          const pods = c.pods()
          if (act === 'create') attempt(() => pod(c, `p${next++}`, { 'nvidia.com/gpu': String(gpus) }))
          if (act === 'delete' && pods.length > 0) c.store.delete(Pod, keyOf(pods[which % pods.length]!), 'test')
          if (act === 'scale') c.store.patch(Deployment, WEB, { spec: { replicas: which % 5 } }, 'test')
          settle(c, act === 'wait' ? seconds(3) : ms(30))
          look(c)
        }
        settle(c, minutes(6))
        look(c)
        expect(status(c).used).toEqual({
          pods: String(c.pods().length),
          'requests.nvidia.com/gpu': String(c.pods().reduce((sum, p) => sum + gpusOf(p), 0)),
        })
      })

    it('it is never exceeded', () => {
      fc.assert(
        property(instant, (c) => expectWithin(c, hard)),
        { numRuns: 25 },
      )
    })

    it('it says what is used in the end, under lag: a count made before a new pod was seen lets one more in, as upstream', () => {
      fc.assert(
        property(defaultProfile, () => {}),
        { numRuns: 25 },
      )
    })
  })
})

function attempt(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'Forbidden') throw error
  }
}

const gpusOf = ({ spec }: o.Pod): number => Number(spec.containers[0]?.resources.requests?.['nvidia.com/gpu'] ?? 0)

/** Neither the count in the status nor what is truly there. */
function expectWithin(c: TestCluster, hard: Readonly<Record<string, string>>): void {
  for (const [name, limit] of Object.entries(hard))
    expect(compareQuantities(parseQuantity(status(c).used![name]!), parseQuantity(limit))).toBeLessThanOrEqual(0)
  const live = c.pods()
  expect(live.length).toBeLessThanOrEqual(6)
  expect(live.reduce((sum, p) => sum + gpusOf(p), 0)).toBeLessThanOrEqual(8)
}
