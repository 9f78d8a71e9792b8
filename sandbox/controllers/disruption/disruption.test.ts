import { describe, expect, it } from 'vitest'
import { draft } from '../../apiserver/testkit.ts'
import { ApiError } from '../../kube/errors.ts'
import { Deployment, keyOf, kindOf, Pod, PodDisruptionBudget, ReplicaSet, StatefulSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { minutes, seconds, toRfc3339 } from '../../world/time.ts'
import { deploymentController } from '../deployment.ts'
import { replicaSetController } from '../replicaset.ts'
import { deploymentOf, settle, type TestCluster, testCluster } from '../testkit.ts'
import { disruptionController } from './disruption.ts'
import { staleDisruptionController } from './stale-condition.ts'

const controllers = [replicaSetController, deploymentController, disruptionController, staleDisruptionController]

function budget({ store }: TestCluster, spec: object, name = 'web'): void {
  const selector = { matchLabels: { app: 'web' } }
  store.create(PodDisruptionBudget, draft({ name }, { selector, ...spec }), 'test')
}

const status = ({ store }: TestCluster) => store.get(PodDisruptionBudget, 'default/web').status
const counts = (cluster: TestCluster) => {
  const { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed } = status(cluster)
  return [expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed]
}
const allowed = (cluster: TestCluster) => status(cluster).conditions?.[0]

function cluster(replicas: number, options: { ready?: number } = {}): TestCluster {
  let made = 0
  const readyAfter = () =>
    made++ < (options.ready ?? Number.POSITIVE_INFINITY) ? seconds(1) : Number.POSITIVE_INFINITY
  const made_ = testCluster({ controllers, kubelet: { readyAfter } })
  if (replicas > 0) made_.store.create(Deployment, deploymentOf(replicas), 'test')
  return made_
}

describe('the status of a budget', () => {
  it.each<[string, object, number[]]>([
    ['a number that must stay', { minAvailable: 2 }, [3, 2, 3, 1]],
    ['more than there are', { minAvailable: 5 }, [3, 5, 3, 0]],
    ['a share that must stay, rounded up', { minAvailable: '50%' }, [3, 2, 3, 1]],
    ['a number that may go', { maxUnavailable: 1 }, [3, 2, 3, 1]],
    ['a share that may go, rounded up', { maxUnavailable: '34%' }, [3, 1, 3, 2]],
    ['all may go', { maxUnavailable: '100%' }, [3, 0, 3, 3]],
    ['neither', {}, [0, 0, 3, 0]],
  ])('of a Deployment of three: %s', (_, spec, expected) => {
    const c = cluster(3)
    budget(c, spec)
    settle(c)
    expect(counts(c)).toEqual(expected)
    expect(allowed(c)).toMatchObject(
      expected[3]! > 0
        ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
        : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' },
    )
    expect(status(c).observedGeneration).toBe(1)
  })

  it('counts only pods that are ready and not going', () => {
    const c = cluster(3, { ready: 2 })
    budget(c, { minAvailable: 1 })
    settle(c)
    expect(counts(c)).toEqual([3, 1, 2, 1])
    const ready = c.pods().find((pod) => pod.status.phase === 'Running')!
    c.store.delete(Pod, keyOf(ready), 'test')
    settle(c, seconds(0))
    expect(status(c).currentHealthy).toBe(1)
  })

  it('allows nothing while no pod is there, and says so in an Event', () => {
    const c = cluster(0)
    budget(c, { minAvailable: 0 })
    settle(c)
    expect(counts(c)).toEqual([0, 0, 0, 0])
    expect(c.events()).toContain('NoPods: No matching pods found')
  })

  it('follows the size of the owner, not the pods that are there', () => {
    const c = cluster(4)
    budget(c, { maxUnavailable: '50%' })
    settle(c)
    expect(counts(c)).toEqual([4, 2, 4, 2])
    c.store.patch(Deployment, 'default/web', { spec: { replicas: 8 } }, 'test')
    settle(c)
    expect(counts(c)).toEqual([8, 4, 8, 4])
  })
})

describe('the owners of pods', () => {
  const owner = (kind: { apiVersion: string; kind: string }, name: string, uid: string) => ({
    ...{ apiVersion: kind.apiVersion, kind: kind.kind, name, uid, controller: true },
  })

  function lonePods(c: TestCluster, count: number, ownerReferences: o.OwnerReference[]): void {
    for (let i = 0; i < count; i++)
      c.store.create(
        Pod,
        draft(
          { name: `p${i}`, labels: { app: 'web' }, ownerReferences },
          { containers: [{ name: 'main', image: 'app:1' }] },
        ),
        'test',
      )
  }

  const plainCluster = () => testCluster({ controllers: [disruptionController] })

  it('counts a StatefulSet and a bare ReplicaSet by their replicas', () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } }
    const spec = { replicas: 7, selector: { matchLabels: { app: 'web' } }, template, serviceName: 'web' }
    for (const kind of [StatefulSet, ReplicaSet] as const) {
      const c = plainCluster()
      const made = c.store.create<o.StatefulSet | o.ReplicaSet>(kind as never, draft({ name: 'db' }, spec), 'test')
      lonePods(c, 1, [owner(kind, 'db', made.metadata.uid)])
      budget(c, { maxUnavailable: 1 })
      settle(c)
      expect(counts(c)).toEqual([7, 6, 1, 0])
    }
  })

  it('asks a custom resource for its scale', () => {
    const c = plainCluster()
    const rollout = kindOf({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' })
    const { metadata } = c.store.create(rollout, draft({ name: 'web' }, { replicas: 4 }), 'test')
    lonePods(c, 3, [owner(rollout, 'web', metadata.uid)])
    budget(c, { minAvailable: '50%' })
    settle(c)
    expect(counts(c)).toEqual([4, 2, 3, 1])
  })

  it('closes a budget of pods whose owner has no scale', () => {
    const c = plainCluster()
    const job = kindOf({ apiVersion: 'batch/v1', kind: 'Job' })
    lonePods(c, 2, [owner(job, 'train', '00000000-0000-4000-8000-000000000001')])
    budget(c, { maxUnavailable: 1 })
    settle(c)
    expect(status(c).disruptionsAllowed).toBe(0)
    expect(allowed(c)).toMatchObject({
      ...{ status: 'False', reason: 'SyncFailed' },
      message: 'jobs.batch does not implement the scale subresource',
    })
    expect(c.events()).toContain(
      'CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource',
    )
  })

  it('leaves out pods of nobody, and warns', () => {
    const c = plainCluster()
    lonePods(c, 2, [])
    budget(c, { maxUnavailable: 1 })
    settle(c)
    expect(counts(c)).toEqual([0, 0, 2, 0])
    expect(c.events().find((event) => event.startsWith('UnmanagedPods'))).toContain(
      '(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},})',
    )
  })

  it('takes one of several budgets', () => {
    const c = plainCluster()
    budget(c, { minAvailable: 1 })
    budget(c, { minAvailable: 1 }, 'second')
    lonePods(c, 1, [])
    settle(c)
    expect(c.events()).toContain(
      'MultiplePodDisruptionBudgets: Pod "default"/"p0" matches multiple PodDisruptionBudgets.  Chose "web" arbitrarily.',
    )
  })
})

describe('evicted pods', () => {
  it('are not counted until they are gone', () => {
    const c = cluster(3)
    budget(c, { minAvailable: 2 })
    settle(c)
    const [first, second] = c.pods()
    c.store.evict(keyOf(first!), {}, 'test')
    expect(() => c.store.evict(keyOf(second!), {}, 'test')).toThrow(ApiError)
    settle(c)
    expect(counts(c)).toEqual([3, 2, 3, 1])
    expect(status(c).disruptedPods).toBeUndefined()
    c.store.evict(keyOf(second!), {}, 'test')
  })

  it('count again when they were not deleted after two minutes', () => {
    const c = cluster(2)
    budget(c, { minAvailable: 1 })
    settle(c)
    const [pod] = c.pods()
    const before = c.store.get(PodDisruptionBudget, 'default/web')
    const disruptedPods = { [pod!.metadata.name]: toRfc3339(c.clock.now) }
    c.store.updateStatus(
      PodDisruptionBudget,
      { ...before, status: { ...before.status, disruptionsAllowed: 0, disruptedPods } },
      'test',
    )
    settle(c, minutes(1))
    expect(counts(c)).toEqual([2, 1, 1, 0])
    settle(c, seconds(62))
    expect(counts(c)).toEqual([2, 1, 2, 1])
    expect(c.events()).toContain("NotDeleted: Pod was expected by PDB default/default to be deleted but it wasn't")
  })

  it('lose the mark of a disruption that never came after two minutes', () => {
    const c = cluster(1)
    settle(c)
    const [pod] = c.pods()
    const lastTransitionTime = toRfc3339(c.clock.now)
    const target = {
      type: 'DisruptionTarget',
      status: 'True' as const,
      reason: 'PreemptionByScheduler',
      lastTransitionTime,
    }
    const conditions = [...pod!.status.conditions!, target]
    c.store.updateStatus(Pod, { ...pod!, status: { ...pod!.status, conditions } }, 'test')
    const mark = () => c.pods()[0]!.status.conditions?.find(({ type }) => type === 'DisruptionTarget')?.status
    settle(c, seconds(118))
    expect(mark()).toBe('True')
    settle(c, seconds(4))
    expect(mark()).toBe('False')
  })
})
