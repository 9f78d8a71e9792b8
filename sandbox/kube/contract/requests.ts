import { beforeEach, expect, it } from 'vitest'
import type { Task } from '../../world/actor.ts'
import { ConfigMap, Pod, ReplicaSet } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import { configMap, type Place, pod, replicaSet } from './place.ts'

/** Requests and what the server answers. */
export function describeRequests(at: () => Place): void {
  let kube: Kube
  const run = <T>(task: Task<T>) => at().run(task)
  const key = (name: string) => `${at().namespace}/${name}`
  beforeEach(async () => {
    kube = await at().kube('contract')
  })

  it('creates: the server names, dates and versions the object, and refuses the name again', async () => {
    const made = await run(kube.create(Pod, pod(at(), 'a')))
    expect(made.metadata).toMatchObject({ name: 'a', namespace: at().namespace })
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'Pod', status: { phase: 'Pending' } })
    await expect(run(kube.create(Pod, pod(at(), 'a')))).rejects.toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'pods "a" already exists',
    })
  })

  it('completes generateName with five letters', async () => {
    const metadata = { generateName: 'web-', namespace: at().namespace }
    const names = [
      (await run(kube.create(Pod, { ...pod(at(), ''), metadata }))).metadata.name,
      (await run(kube.create(Pod, { ...pod(at(), ''), metadata }))).metadata.name,
    ]
    for (const made of names) expect(made).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    expect(names[0]).not.toBe(names[1])
  })

  it('says NotFound to whatever asks for what is not there', async () => {
    const gone = { code: 404, reason: 'NotFound', message: 'pods "gone" not found' }
    await expect(run(kube.read(Pod, key('gone')))).rejects.toMatchObject(gone)
    await expect(run(kube.patch(Pod, key('gone'), { metadata: { labels: { a: 'b' } } }))).rejects.toMatchObject(gone)
    await expect(run(kube.delete(Pod, key('gone')))).rejects.toMatchObject(gone)
    await expect(run(kube.read(ReplicaSet, key('gone')))).rejects.toMatchObject({
      message: 'replicasets.apps "gone" not found',
    })
  })

  it('refuses an update from an old version', async () => {
    const first = await run(kube.create(ReplicaSet, replicaSet(at(), 'web', 1)))
    const second = await run(kube.update(ReplicaSet, { ...first, spec: { ...first.spec, replicas: 2 } }))
    expect(second.spec.replicas).toBe(2)
    const stale = {
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on replicasets.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    }
    const changed = { ...first, spec: { ...first.spec, replicas: 3 } }
    await expect(run(kube.update(ReplicaSet, changed))).rejects.toMatchObject(stale)
    await expect(run(kube.updateStatus(ReplicaSet, { ...first, status: { replicas: 7 } }))).rejects.toMatchObject(stale)
    const old = { metadata: { resourceVersion: first.metadata.resourceVersion, labels: { a: 'b' } } }
    await expect(run(kube.patch(ReplicaSet, key('web'), old))).rejects.toMatchObject(stale)
  })

  it('keeps spec and status apart and counts generations of the spec', async () => {
    const made = await run(kube.create(ReplicaSet, { ...replicaSet(at(), 'web', 1), status: { replicas: 9 } }))
    expect([made.status.replicas, made.metadata.generation]).toEqual([0, 1])
    const withStatus = await run(
      kube.updateStatus(ReplicaSet, { ...made, spec: { ...made.spec, replicas: 5 }, status: { replicas: 4 } }),
    )
    expect([withStatus.spec.replicas, withStatus.status.replicas, withStatus.metadata.generation]).toEqual([1, 4, 1])
    const labelled = await run(kube.patch(ReplicaSet, key('web'), { metadata: { labels: { a: 'b' } } }))
    expect(labelled.metadata.generation).toBe(1)
    const scaled = await run(
      kube.update(ReplicaSet, { ...labelled, spec: { ...labelled.spec, replicas: 2 }, status: { replicas: 8 } }),
    )
    expect([scaled.spec.replicas, scaled.status.replicas, scaled.metadata.generation]).toEqual([2, 4, 2])
    const patched = await run(
      kube.patch(ReplicaSet, key('web'), { status: { replicas: 3 } }, { subresource: 'status' }),
    )
    expect([patched.status.replicas, patched.metadata.generation]).toEqual([3, 2])
  })

  it('applies merge patches: objects merge, null removes, the rest replaces; a patch that changes nothing is no new version', async () => {
    const labels = { keep: 'k', drop: 'd' }
    const made = await run(kube.create(ConfigMap, configMap(at(), 'c', { a: '1', b: '2' }, { labels })))
    const patch = { data: { b: null, c: '3' }, metadata: { labels: { drop: null, add: 'x' } } }
    const patched = await run(kube.patch(ConfigMap, key('c'), patch))
    expect(patched['data']).toEqual({ a: '1', c: '3' })
    expect(patched.metadata.labels).toEqual({ keep: 'k', add: 'x' })
    expect(patched.metadata.uid).toBe(made.metadata.uid)
    const again = await run(kube.patch(ConfigMap, key('c'), patch))
    expect(again.metadata.resourceVersion).toBe(patched.metadata.resourceVersion)
  })

  it('refuses a write meant for an object that was replaced by another of its name', async () => {
    const made = await run(kube.create(ConfigMap, configMap(at(), 'c', {})))
    const other = '00000000-0000-4000-8000-000000000000'
    const update = kube.update(ConfigMap, { ...made, metadata: { ...made.metadata, uid: other } })
    await expect(run(update)).rejects.toMatchObject({
      ...{ code: 409, reason: 'Conflict' },
      message: expect.stringContaining(
        `Precondition failed: UID in precondition: ${other}, UID in object meta: ${made.metadata.uid}`,
      ),
    })
    const patch = kube.patch(ConfigMap, key('c'), { metadata: { uid: other, labels: { a: 'b' } } })
    await expect(run(patch)).rejects.toMatchObject({
      ...{ code: 422, reason: 'Invalid' },
      message: `ConfigMap "c" is invalid: metadata.uid: Invalid value: "${other}": field is immutable`,
    })
  })

  it('binds a pod once', async () => {
    const made = await run(kube.create(Pod, pod(at(), 'a')))
    await run(kube.bind(key('a'), made.metadata.uid, 'gpu-0'))
    const bound = await run(kube.read(Pod, key('a')))
    expect(bound.spec.nodeName).toBe('gpu-0')
    expect(bound.status.conditions).toContainEqual(expect.objectContaining({ type: 'PodScheduled', status: 'True' }))
    await expect(run(kube.bind(key('a'), made.metadata.uid, 'gpu-1'))).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "gpu-0"',
    })
  })
}
