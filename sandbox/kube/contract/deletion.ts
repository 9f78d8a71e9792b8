import { beforeEach, expect, it } from 'vitest'
import type { Task } from '../../world/actor.ts'
import { ConfigMap, Pod, ReplicaSet } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import { configMap, type Place, pod, replicaSet } from './place.ts'

/** Deletes: finalizers, preconditions, grace. */
export function describeDeletion(at: () => Place): void {
  let kube: Kube
  const run = <T>(task: Task<T>) => at().run(task)
  const key = (name: string) => `${at().namespace}/${name}`
  beforeEach(async () => {
    kube = await at().kube('contract')
  })

  it('keeps an object that has finalizers until the last is taken off', async () => {
    await run(kube.create(ConfigMap, configMap(at(), 'c', {}, { finalizers: ['example.com/hold'] })))
    await run(kube.delete(ConfigMap, key('c')))
    const held = await run(kube.read(ConfigMap, key('c')))
    expect(held.metadata.deletionTimestamp).toBeDefined()
    await run(kube.patch(ConfigMap, key('c'), { metadata: { finalizers: null } }))
    await expect(run(kube.read(ConfigMap, key('c')))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('adds the finalizer of the propagation policy', async () => {
    await run(kube.create(ReplicaSet, replicaSet(at(), 'web', 0)))
    await run(kube.delete(ReplicaSet, key('web'), { propagationPolicy: 'Foreground' }))
    const held = await run(kube.read(ReplicaSet, key('web')))
    expect(held.metadata.finalizers).toEqual(['foregroundDeletion'])
    await run(kube.create(ReplicaSet, replicaSet(at(), 'orphaned', 0)))
    await run(kube.delete(ReplicaSet, key('orphaned'), { propagationPolicy: 'Orphan' }))
    expect((await run(kube.read(ReplicaSet, key('orphaned')))).metadata.finalizers).toEqual(['orphan'])
  })

  it('checks preconditions of a delete', async () => {
    const made = await run(kube.create(ConfigMap, configMap(at(), 'c', {})))
    const other = '00000000-0000-4000-8000-000000000000'
    await expect(run(kube.delete(ConfigMap, key('c'), { uid: other }))).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining(
        `the UID in the precondition (${other}) does not match the UID in record (${made.metadata.uid})`,
      ),
    })
    await expect(run(kube.delete(ConfigMap, key('c'), { resourceVersion: '1' }))).rejects.toMatchObject({
      reason: 'Conflict',
    })
    await run(kube.delete(ConfigMap, key('c'), { uid: made.metadata.uid }))
    await expect(run(kube.read(ConfigMap, key('c')))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('gives a pod on a node its grace period, and ends it at once with a period of 0', async () => {
    const made = await run(kube.create(Pod, pod(at(), 'a')))
    await run(kube.bind(key('a'), made.metadata.uid, 'gpu-0'))
    await run(kube.delete(Pod, key('a')))
    const leaving = await run(kube.read(Pod, key('a')))
    expect(leaving.metadata.deletionGracePeriodSeconds).toBe(30)
    expect(leaving.metadata.deletionTimestamp).toBeDefined()
    await run(kube.delete(Pod, key('a'), { gracePeriodSeconds: 10 }))
    expect((await run(kube.read(Pod, key('a')))).metadata.deletionGracePeriodSeconds).toBe(10)
    await run(kube.delete(Pod, key('a'), { gracePeriodSeconds: 0 }))
    await expect(run(kube.read(Pod, key('a')))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('ends a pod without a node at once', async () => {
    await run(kube.create(Pod, pod(at(), 'a')))
    await run(kube.delete(Pod, key('a')))
    await expect(run(kube.read(Pod, key('a')))).rejects.toMatchObject({ reason: 'NotFound' })
  })
}
