import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runController } from '../controllers/controller.ts'
import { replicaSetController } from '../controllers/replicaset.ts'
import type { Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { podsByController } from './indexes.ts'
import { ConfigMap, Event, type Kind, keyOf, Pod, ReplicaSet } from './kinds.ts'
import type { Kube } from './kube.ts'
import type * as o from './objects.ts'
import { isActive } from './pods.ts'

/** A cluster to try a Kube on: empty but for one namespace. */
export interface Place {
  readonly world: World
  readonly namespace: string
  /** The view of one more process, in step with the server for these kinds. */
  kube(process: string, ...kinds: readonly Kind[]): Promise<Kube>
  /** Runs a task to its end, moving time as needed. */
  run<T>(task: Task<T>): Promise<T>
  /** Moves time on until the condition holds; fails when it does not within `within`. */
  until(condition: () => boolean, within: Us): Promise<void>
  close(): Promise<void>
}

const podSpec = (): o.PodSpec =>
  ({ containers: [{ name: 'main', image: 'example.com/main:1' }] }) as unknown as o.PodSpec

/** What every Kube does, whatever stands behind it. */
export function describeKube(name: string, makePlace: () => Promise<Place>): void {
  describe(`Kube over ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await makePlace()
    })
    afterEach(() => place.close())

    describeRequests(() => place)
    describeDeletion(() => place)
    describeCaches(() => place)
    describeActors(() => place)
  })
}

const meta = (place: Place, name: string, more: Partial<o.ObjectMeta> = {}) => ({
  ...more,
  name,
  namespace: place.namespace,
})

const configMap = (place: Place, name: string, data: Record<string, string>, more?: Partial<o.ObjectMeta>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta(place, name, more),
  data,
})

const pod = (place: Place, name: string, more?: Partial<o.ObjectMeta>) => ({
  apiVersion: 'v1',
  kind: 'Pod' as const,
  metadata: meta(place, name, more),
  spec: podSpec(),
})

const replicaSet = (place: Place, name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet' as const,
  metadata: meta(place, name),
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec() },
  },
})

function describeRequests(at: () => Place): void {
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

function describeDeletion(at: () => Place): void {
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

function describeCaches(at: () => Place): void {
  const run = <T>(task: Task<T>) => at().run(task)
  const key = (name: string) => `${at().namespace}/${name}`

  it('holds what was there, frozen, and finds it by namespace and labels', async () => {
    const writer = await at().kube('writer')
    await run(writer.create(Pod, pod(at(), 'a', { labels: { app: 'web', tier: 'gpu' } })))
    await run(writer.create(Pod, pod(at(), 'b', { labels: { app: 'web' } })))
    await run(writer.create(Pod, pod(at(), 'c', { labels: { app: 'db' } })))
    const kube = await at().kube('reader', Pod)
    const { namespace } = at()
    const found = (selector: o.LabelSelector) =>
      kube
        .list(Pod, { namespace, selector })
        .map((p) => p.metadata.name)
        .sort()
    expect(found({ matchLabels: { app: 'web' } })).toEqual(['a', 'b'])
    expect(found({ matchExpressions: [{ key: 'tier', operator: 'Exists' }] })).toEqual(['a'])
    expect(found({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] })).toEqual(['c'])
    expect(found({})).toEqual(['a', 'b', 'c'])
    expect(kube.list(Pod, { namespace: 'nowhere' })).toEqual([])
    const held = kube.get(Pod, key('a'))!
    expect(held).toMatchObject({ apiVersion: 'v1', kind: 'Pod' })
    expect(() => {
      held.metadata.labels!['app'] = 'other'
    }).toThrow(TypeError)
    const read = await run(kube.read(Pod, key('a')))
    expect(Object.isFrozen(read.spec.containers[0])).toBe(true)
  })

  it('tells handlers what is there, then each change once and in order, when the cache has it', async () => {
    const kube = await at().kube('reader', ConfigMap)
    const writer = await at().kube('writer')
    await run(writer.create(ConfigMap, configMap(at(), 'c', { n: '0' })))
    const seen: string[] = []
    const value = (object: o.OtherObject) => (object['data'] as { n?: string } | undefined)?.n
    const mine = (object: o.OtherObject) => object.metadata.namespace === at().namespace && object.metadata.name === 'c'
    const stop = kube.watch(ConfigMap, {
      added: (object) => mine(object) && seen.push(`added ${value(object)}`),
      updated(before, object) {
        if (mine(object)) seen.push(`${value(before)} became ${value(kube.get(ConfigMap, keyOf(object))!)}`)
      },
      deleted(object) {
        if (mine(object)) seen.push(`deleted ${value(object)} ${kube.get(ConfigMap, keyOf(object)) === undefined}`)
      },
    })
    for (const n of ['1', '2', '3']) await run(writer.patch(ConfigMap, key('c'), { data: { n } }))
    await run(writer.delete(ConfigMap, key('c')))
    const all = ['added 0', '0 became 1', '1 became 2', '2 became 3', 'deleted 3 true']
    await at().until(() => seen.length >= all.length, seconds(10))
    expect(seen).toEqual(all)
    stop()
    await run(writer.create(ConfigMap, configMap(at(), 'c', { n: 'again' })))
    await at().until(() => kube.get(ConfigMap, key('c')) !== undefined, seconds(10))
    expect(seen).toEqual(all)
  })

  it('shows a write in reads of the cache by and by', async () => {
    const kube = await at().kube('both', Pod)
    const made = await run(kube.create(Pod, pod(at(), 'a')))
    await at().until(() => kube.get(Pod, key('a'))?.metadata.uid === made.metadata.uid, seconds(10))
    await run(kube.delete(Pod, key('a')))
    await at().until(() => kube.get(Pod, key('a')) === undefined, seconds(10))
  })

  it('records Events and counts the same one again', async () => {
    const kube = await at().kube('kubelet/gpu-0', Event)
    const about = await run(kube.create(Pod, pod(at(), 'a')))
    kube.event(about, 'Warning', 'BackOff', 'Back-off restarting failed container')
    kube.event(about, 'Warning', 'BackOff', 'Back-off restarting failed container')
    kube.event(about, 'Normal', 'Pulled', 'Image is present')
    const events = () =>
      kube.list(Event, { namespace: at().namespace }).filter((e) => e.involvedObject.uid === about.metadata.uid)
    await at().until(() => events().length === 2 && events().some((e) => e.count === 2), seconds(10))
    const backOff = events().find((e) => e.reason === 'BackOff')!
    expect(backOff).toMatchObject({
      ...{ type: 'Warning', count: 2, message: 'Back-off restarting failed container', reportingComponent: 'kubelet' },
      source: { component: 'kubelet', host: 'gpu-0' },
      involvedObject: { kind: 'Pod', name: 'a' },
    })
  })
}

function describeActors(at: () => Place): void {
  it('runs the ReplicaSet controller: up to 25, down to 3, lets go of a pod and takes in another', async () => {
    const place = at()
    const { namespace, world } = place
    const manager = await place.kube('kube-controller-manager', ReplicaSet, Pod)
    const user = await place.kube('kubectl', ReplicaSet, Pod)
    const workers = runController(replicaSetController, { world, kube: manager })
    try {
      const rs = await place.run(user.create(ReplicaSet, replicaSet(place, 'web', 0)))
      const key = keyOf(rs)
      const scale = (replicas: number) => place.run(user.patch(ReplicaSet, key, { spec: { replicas } }))
      const pods = () => user.indexed(podsByController, rs.metadata.uid).filter(isActive)
      const settled = (replicas: number) => () =>
        pods().length === replicas && user.get(ReplicaSet, key)?.status.replicas === replicas
      await scale(25)
      await place.until(settled(25), seconds(60))
      await scale(3)
      await place.until(settled(3), seconds(60))

      const released = pods()[0]!
      await place.run(user.patch(Pod, keyOf(released), { metadata: { labels: { app: 'suspect' } } }))
      await place.until(
        () => settled(3)() && !pods().some((p) => p.metadata.uid === released.metadata.uid),
        seconds(60),
      )
      const kept = await place.run(user.read(Pod, keyOf(released)))
      expect(kept.metadata.ownerReferences ?? []).toEqual([])

      await place.run(user.create(Pod, { ...pod(place, 'stray', { labels: { app: 'web' } }) }))
      const one = (p: o.Pod) => p.metadata.namespace === namespace && p.metadata.name === 'stray'
      // it is one too many now: the stray or another goes
      await place.until(
        () => user.list(Pod, { namespace }).every((p) => !one(p) || p.metadata.ownerReferences?.length === 1),
        seconds(60),
      )
      await place.until(settled(3), seconds(60))
    } finally {
      for (const worker of workers) worker.stop()
    }
  })
}
