import { beforeEach, expect, it } from 'vitest'
import type { Task } from '../../world/actor.ts'
import { toRfc3339 } from '../../world/time.ts'
import { Pod, PodDisruptionBudget } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import type * as o from '../objects.ts'
import { type Place, pod } from './place.ts'

/** Evictions and the budgets they are held to. */
export function describeEviction(at: () => Place): void {
  let kube: Kube
  const run = <T>(task: Task<T>) => at().run(task)
  const key = (name: string) => `${at().namespace}/${name}`
  beforeEach(async () => {
    kube = await at().kube('contract')
  })

  async function running(name: string, ready = true): Promise<o.Pod> {
    const made = await run(kube.create(Pod, pod(at(), name, { labels: { app: 'web' } })))
    await run(kube.bind(key(name), made.metadata.uid, 'gpu-0'))
    const lastTransitionTime = toRfc3339(at().world.clock.now)
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }]
    const status = { phase: 'Running', conditions }
    return await run(kube.patch(Pod, key(name), { status }, { subresource: 'status' }))
  }

  async function budget(status: Partial<o.PodDisruptionBudget['status']>, name = 'web', spec: object = {}) {
    const metadata = { name, namespace: at().namespace }
    const selector = { matchLabels: { app: 'web' } }
    const made = await run(
      kube.create(PodDisruptionBudget, {
        ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata },
        spec: { selector, minAvailable: 1, ...spec },
      }),
    )
    const counts = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0, ...status }
    const patch = { status: { observedGeneration: made.metadata.generation, ...counts } }
    await run(kube.patch(PodDisruptionBudget, key(name), patch, { subresource: 'status' }))
  }

  it('sends a pod without a budget away, with its grace period and a condition that says why', async () => {
    await running('a')
    await run(kube.evict(key('a')))
    const leaving = await run(kube.read(Pod, key('a')))
    expect(leaving.metadata.deletionGracePeriodSeconds).toBe(30)
    expect(leaving.status.conditions).toContainEqual(
      expect.objectContaining({
        ...{ type: 'DisruptionTarget', status: 'True' },
        ...{ reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
      }),
    )
    await expect(run(kube.evict(key('gone')))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('takes from the budget, then refuses', async () => {
    await running('a')
    await running('b')
    await budget({ currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1 })
    await run(kube.evict(key('a'), { gracePeriodSeconds: 5 }))
    expect((await run(kube.read(Pod, key('a')))).metadata.deletionGracePeriodSeconds).toBe(5)
    const { status } = await run(kube.read(PodDisruptionBudget, key('web')))
    expect(status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a: expect.any(String) } })
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }),
    )
    await expect(run(kube.evict(key('b')))).rejects.toMatchObject({
      ...{ code: 429, reason: 'TooManyRequests' },
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          { reason: 'DisruptionBudget', message: 'The disruption budget web does not allow evicting pods currently' },
        ],
      },
    })
  })

  it('says how many healthy pods there must be', async () => {
    await running('a')
    await budget({ currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 })
    await expect(run(kube.evict(key('a')))).rejects.toMatchObject({
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget web needs 1 healthy pods and has 1 currently',
          },
        ],
      },
    })
  })

  it('lets a pod that is not ready go while enough others are, or always', async () => {
    await running('a', false)
    await running('b', false)
    await running('c', false)
    await budget({ currentHealthy: 0, desiredHealthy: 1, expectedPods: 3 })
    await expect(run(kube.evict(key('a')))).rejects.toMatchObject({ reason: 'TooManyRequests' })
    const status = { currentHealthy: 1 }
    await run(kube.patch(PodDisruptionBudget, key('web'), { status }, { subresource: 'status' }))
    await run(kube.evict(key('a')))
    await run(kube.delete(PodDisruptionBudget, key('web')))
    await budget({ currentHealthy: 0, desiredHealthy: 2 }, 'always', { unhealthyPodEvictionPolicy: 'AlwaysAllow' })
    await run(kube.evict(key('b')))
    expect((await run(kube.read(PodDisruptionBudget, key('always')))).status.disruptedPods ?? {}).toEqual({})
  })

  it('asks no budget for a pod that does not run yet', async () => {
    await run(kube.create(Pod, pod(at(), 'a', { labels: { app: 'web' } })))
    await budget({ currentHealthy: 0, desiredHealthy: 1 })
    await run(kube.evict(key('a')))
    await expect(run(kube.read(Pod, key('a')))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('fails for a pod with two budgets', async () => {
    await running('a')
    await budget({ disruptionsAllowed: 1 }, 'one')
    await budget({ disruptionsAllowed: 1 }, 'two')
    await expect(run(kube.evict(key('a')))).rejects.toMatchObject({
      ...{ code: 500, reason: 'InternalError' },
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    })
  })

  it('checks the uid, and changes nothing in a dry run', async () => {
    const { metadata } = await running('a')
    const other = '00000000-0000-4000-8000-000000000000'
    await expect(run(kube.evict(key('a'), { uid: other }))).rejects.toMatchObject({
      ...{ code: 409, reason: 'Conflict' },
      message: expect.stringContaining(
        `the UID in the precondition (${other}) does not match the UID in record (${metadata.uid})`,
      ),
    })
    await budget({ currentHealthy: 1, desiredHealthy: 0, expectedPods: 1, disruptionsAllowed: 1 })
    await run(kube.evict(key('a'), { uid: metadata.uid, dryRun: true }))
    expect((await run(kube.read(Pod, key('a')))).metadata.deletionTimestamp).toBeUndefined()
    expect((await run(kube.read(PodDisruptionBudget, key('web')))).status.disruptionsAllowed).toBe(1)
  })
}
