import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal } from '../../journal/journal.ts'
import { seconds } from '../../world/time.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld, type World } from '../../world/world.ts'
import { ApiError } from '../errors.ts'
import { ConfigMap, Pod } from '../kinds.ts'
import type { OtherObject } from '../objects.ts'
import { RemoteCluster } from './remote-cluster.ts'
import type { RemoteKube } from './remote-kube.ts'
import { Script } from './script.ts'

const map = (name: string, version: number, n = ''): OtherObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: `${version}`, creationTimestamp: '' },
  data: { n },
})

let clock: WallClock
let world: World
let rest: Script
let cluster: RemoteCluster
let kube: RemoteKube
const errors: unknown[] = []
const soon = (turns = 5) => new Promise<void>((resolve) => clock.after(turns * 1000, resolve))

beforeEach(() => {
  errors.length = 0
  clock = new WallClock({ onError: (error) => errors.push(error) })
  world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  rest = new Script()
  cluster = new RemoteCluster({ world, rest })
  kube = cluster.kubeOf('test')
})
afterEach(() => {
  cluster.stop()
  clock.stop()
})

it('lists from the server’s cache, then watches from the version of the list', async () => {
  rest.items = [map('a', 3)]
  await kube.sync(ConfigMap)
  await soon()
  expect(rest.lists).toEqual(['/api/v1/configmaps?resourceVersion=0'])
  expect(rest.watches[0]).toMatch(/watch=1.*resourceVersion=10$/)
  expect(kube.get(ConfigMap, 'default/a')).toMatchObject({ metadata: { resourceVersion: '3' } })
})

it('goes on from the last version, bookmarks included, when the server ends a watch', async () => {
  await kube.sync(ConfigMap)
  await soon()
  rest.say('ADDED', map('a', 11))
  rest.say('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '25' } })
  rest.hangUp()
  await soon()
  expect(rest.lists).toHaveLength(1)
  expect(rest.watches[1]).toMatch(/resourceVersion=25$/)
  expect(kube.list(ConfigMap)).toHaveLength(1)
})

it('lists anew when the version has expired, and tells handlers what changed meanwhile', async () => {
  rest.items = [map('gone', 1), map('same', 2), map('changed', 3, 'old')]
  const seen: string[] = []
  kube.watch(ConfigMap, {
    added: (o) => seen.push(`+${o.metadata.name}`),
    updated: (_, o) => seen.push(`~${o.metadata.name}`),
    deleted: (o) => seen.push(`-${o.metadata.name}`),
  })
  await kube.sync(ConfigMap)
  await soon()
  seen.length = 0
  rest.items = [map('same', 2), map('changed', 30, 'new'), map('fresh', 31)]
  rest.version = '40'
  rest.say('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' })
  await soon(20)
  expect(rest.lists[1]).toBe('/api/v1/configmaps')
  expect(rest.watches[1]).toMatch(/resourceVersion=40$/)
  expect(seen).toEqual(['-gone', '~changed', '+fresh'])
})

it('fills the caches of kinds asked for together at one time', async () => {
  let giveMaps: (value: unknown) => void = () => {}
  rest.list = (path) =>
    path.includes('configmaps')
      ? new Promise((resolve) => {
          giveMaps = resolve
        })
      : Promise.resolve({ metadata: { resourceVersion: '5' }, items: [{ ...map('p', 1), kind: 'Pod' }] })
  const known: number[] = []
  kube.watch(Pod, { added: () => known.push(kube.list(ConfigMap).length) })
  kube.watch(ConfigMap, {})
  await soon()
  expect(known).toEqual([])
  giveMaps({ metadata: { resourceVersion: '5' }, items: [map('a', 1)] })
  await kube.sync(Pod, ConfigMap)
  expect(kube.list(Pod)).toHaveLength(1)
  expect(kube.list(ConfigMap)).toHaveLength(1)
})

it('does not hold others back for a kind the server does not serve, and says so', async () => {
  rest.list = (path) =>
    path.includes('pods')
      ? Promise.reject(new ApiError(404, 'NotFound', 'the server could not find the requested resource'))
      : Promise.resolve({ metadata: { resourceVersion: '5' }, items: [map('a', 1)] })
  await kube.sync(Pod, ConfigMap)
  expect(kube.list(ConfigMap)).toHaveLength(1)
  expect(world.journal.records).toContainEqual(expect.objectContaining({ type: 'note', about: 'pods' }))
})

it('gives what a handler throws to the clock and goes on', async () => {
  await kube.sync(ConfigMap)
  await soon()
  kube.watch(ConfigMap, {
    added: (o) => {
      if (o.metadata.name === 'a') throw new Error('handler')
    },
  })
  rest.say('ADDED', map('a', 11))
  rest.say('ADDED', map('b', 12))
  await soon()
  expect(errors).toEqual([new Error('handler')])
  expect(kube.list(ConfigMap)).toHaveLength(2)
  expect(clock.now).toBeGreaterThan(seconds(0))
})
