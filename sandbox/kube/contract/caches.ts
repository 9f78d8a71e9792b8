import { expect, it } from 'vitest'
import type { Task } from '../../world/actor.ts'
import { seconds } from '../../world/time.ts'
import { ConfigMap, Event, keyOf, Pod } from '../kinds.ts'
import type * as o from '../objects.ts'
import { configMap, type Place, pod } from './place.ts'

/** What a process sees without asking, and when. */
export function describeCaches(at: () => Place): void {
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
