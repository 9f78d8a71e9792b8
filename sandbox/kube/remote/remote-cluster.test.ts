import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal } from '../../journal/journal.ts'
import { kubeletFields } from '../../nodes/node.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld } from '../../world/world.ts'
import { ConfigMap, Node, Pod } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import type { OtherObject } from '../objects.ts'
import { RemoteCluster } from './remote-cluster.ts'
import { Script } from './script.ts'

let clock: WallClock
let rest: Script
let cluster: RemoteCluster
const errors: unknown[] = []
const soon = (turns = 5) => new Promise<void>((resolve) => clock.after(turns * 1000, resolve))

const object = (kind: string, name: string, version: number, spec = {}): OtherObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    ...{ name, uid: name, resourceVersion: `${version}`, creationTimestamp: '' },
    ...(kind === 'Node' ? {} : { namespace: 'default' }),
  },
  spec,
})
const pod = (name: string, version: number, nodeName?: string) => object('Pod', name, version, { nodeName })

beforeEach(() => {
  errors.length = 0
  clock = new WallClock({ onError: (error) => errors.push(error) })
  rest = new Script()
  cluster = new RemoteCluster({ world: createWorld({ clock, seed: 1, journal: new Journal(clock) }), rest })
})
afterEach(() => {
  cluster.stop()
  clock.stop()
})

const kubelet = (name: string) => cluster.kubeOf(`kubelet/${name}`, kubeletFields(name))

function heard(kube: Kube): string[] {
  const seen: string[] = []
  kube.watch(Pod, {
    added: ({ metadata }) => seen.push(`+${metadata.name}`),
    updated: (_, { metadata }) => seen.push(`~${metadata.name}@${metadata.resourceVersion}`),
    deleted: ({ metadata }) => seen.push(`-${metadata.name}`),
  })
  return seen
}

it('follows a kind once, however many look at it', async () => {
  rest.items = [object('ConfigMap', 'a', 3)]
  const kubes = ['a', 'b', 'c'].map((name) => cluster.kubeOf(name))
  for (const kube of kubes) expect(kube.list(ConfigMap)).toEqual([])
  await cluster.sync()
  for (const kube of kubes) expect(kube.list(ConfigMap)).toHaveLength(1)
  // what the cluster knows is there at once for whoever comes later
  expect(cluster.kubeOf('late').get(ConfigMap, 'default/a')).toBeDefined()
  await soon()
  expect([rest.lists.length, rest.watches.length]).toEqual([1, 1])
})

it('shows a kubelet the pods of its node and its Node alone', async () => {
  rest.list = async (path) => ({
    metadata: { resourceVersion: '10' },
    items: path.includes('nodes')
      ? [object('Node', 'one', 1), object('Node', 'two', 2)]
      : [pod('a', 3, 'one'), pod('b', 4, 'two'), pod('c', 5)],
  })
  const [one, two] = [kubelet('one'), kubelet('two')]
  const [atOne, atTwo] = [heard(one), heard(two)]
  await one.sync(Pod, Node)
  await soon()
  expect(one.list(Node).map((n) => n.metadata.name)).toEqual(['one'])
  expect(two.get(Pod, 'default/a')).toBeUndefined()
  rest.say('MODIFIED', pod('c', 11, 'two'), 'pods')
  rest.say('MODIFIED', pod('a', 12, 'one'), 'pods')
  rest.say('DELETED', pod('b', 13, 'two'), 'pods')
  // as the server does: an object that no longer matches is shown as deleted
  rest.say('MODIFIED', pod('a', 14, 'two'), 'pods')
  expect(atOne).toEqual(['+a', '~a@12', '-a'])
  expect(atTwo).toEqual(['+b', '+c', '-b', '+a'])
  const byPhase = { kind: Pod, name: 'all', values: () => ['all'] }
  expect(two.indexed(byPhase, 'all').map((p) => p.metadata.name)).toEqual(['c', 'a'])
})

it('calls no handler of a view that has ended, and goes on for the others', async () => {
  rest.items = [pod('a', 1, 'one')]
  const [off, on] = [kubelet('one'), kubelet('one')]
  const [atOff, atOn] = [heard(off), heard(on)]
  await cluster.sync(Pod)
  await soon()
  off.stop()
  const late = heard(off)
  rest.say('MODIFIED', pod('a', 2, 'one'), 'pods')
  expect([atOff, atOn, late]).toEqual([['+a'], ['+a', '~a@2'], []])
  expect(off.get(Pod, 'default/a')!.metadata.resourceVersion).toBe('1')
  // one that ends while it waits for a list hears nothing either
  const waiting = cluster.kubeOf('waiting')
  const seen: string[] = []
  waiting.watch(ConfigMap, { added: ({ metadata }) => seen.push(metadata.name) })
  waiting.stop()
  await cluster.sync()
  expect(seen).toEqual([])
})

it('fills what a view asks for together before any of its handlers is called', async () => {
  let give: (value: unknown) => void = () => {}
  rest.list = (path) =>
    path.includes('configmaps')
      ? new Promise((resolve) => {
          give = resolve
        })
      : Promise.resolve({ metadata: { resourceVersion: '5' }, items: [pod('p', 1)] })
  await cluster.sync(Pod)
  const kube = cluster.kubeOf('test')
  const known: [number, number][] = []
  const note = () => known.push([kube.list(ConfigMap).length, kube.list(Pod).length])
  kube.watch(ConfigMap, { added: note })
  kube.watch(Pod, { added: note })
  await soon()
  expect(known).toEqual([])
  give({ metadata: { resourceVersion: '5' }, items: [object('ConfigMap', 'm', 1)] })
  await cluster.sync()
  expect(known).toEqual([
    [1, 1],
    [1, 1],
  ])
})

it('lets no handler that throws rob the others', async () => {
  await cluster.sync(Pod)
  await soon()
  cluster.kubeOf('bad').watch(Pod, {
    added: () => {
      throw new Error('handler')
    },
  })
  const seen = heard(cluster.kubeOf('good'))
  rest.say('ADDED', pod('a', 11), 'pods')
  await soon()
  expect(seen).toEqual(['+a'])
  expect(errors).toEqual([new Error('handler')])
})
