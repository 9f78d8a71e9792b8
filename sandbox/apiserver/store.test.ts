import { expect, test } from 'vitest'
import { isApiError } from '../kube/errors.ts'
import { Deployment, Namespace, Pod } from '../kube/kinds.ts'
import { seconds } from '../world/time.ts'
import { apply } from './apply.ts'
import { deploymentSpec, draft, testStore } from './testkit.ts'
import type { StoreEvent } from './watchers.ts'

const KEY = 'default/a'

function scheduled() {
  const kit = testStore()
  const made = kit.pod('a')
  kit.store.bind(Pod, KEY, made.metadata.uid, 'n1', 'scheduler')
  const seen: StoreEvent[] = []
  kit.store.watch(Pod, {}, (event) => seen.push(event))
  return { ...kit, made, seen }
}

test('a running pod waits for its kubelet; the second delete may only shorten the wait', () => {
  const { store, clock, seen } = scheduled()
  clock.runUntil(seconds(100))
  store.delete(Pod, KEY, 'user')
  const first = store.get(Pod, KEY).metadata
  expect(first).toMatchObject({
    deletionGracePeriodSeconds: 30,
    deletionTimestamp: '2026-01-01T00:02:10Z',
    generation: 2,
  })
  store.delete(Pod, KEY, 'user', { gracePeriodSeconds: 60 })
  store.delete(Pod, KEY, 'user')
  expect(store.get(Pod, KEY).metadata).toBe(first)
  clock.runUntil(seconds(105))
  store.delete(Pod, KEY, 'user', { gracePeriodSeconds: 10 })
  expect(store.get(Pod, KEY).metadata).toMatchObject({
    deletionGracePeriodSeconds: 10,
    deletionTimestamp: '2026-01-01T00:01:50Z',
  })
  clock.runUntil(seconds(109))
  store.delete(Pod, KEY, 'user', { gracePeriodSeconds: 2 })
  expect(store.get(Pod, KEY).metadata).toMatchObject({
    deletionGracePeriodSeconds: 1,
    deletionTimestamp: '2026-01-01T00:01:49Z',
  })
  store.delete(Pod, KEY, 'kubelet', { gracePeriodSeconds: 0 })
  expect(store.peek(Pod, KEY)).toBeUndefined()
  expect(seen.map((event) => event.verb)).toEqual(['MODIFIED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED'])
})

test('a pod nobody runs goes at once, unless a finalizer holds it', () => {
  const { pod, store } = testStore()
  pod('a')
  store.delete(Pod, KEY, 'user')
  expect(store.peek(Pod, KEY)).toBeUndefined()
  pod('a', {}, { finalizers: ['seatrial.dev/hold'] })
  store.delete(Pod, KEY, 'user')
  expect(store.get(Pod, KEY).metadata).toMatchObject({ deletionGracePeriodSeconds: 0 })
  store.patch(Pod, KEY, { metadata: { finalizers: null } }, 'user')
  expect(store.peek(Pod, KEY)).toBeUndefined()
})

test('deleting in the foreground holds a Deployment for the garbage collector', () => {
  const { deployment, store } = testStore()
  deployment('a')
  store.delete(Deployment, KEY, 'user', { propagationPolicy: 'Foreground' })
  expect(store.get(Deployment, KEY).metadata).toMatchObject({ finalizers: ['foregroundDeletion'], generation: 2 })
})

test('preconditions: another uid is another object', () => {
  const { store, made } = scheduled()
  expect(() => store.delete(Pod, KEY, 'user', { uid: 'other' })).toThrow(
    `Operation cannot be fulfilled on Pod "a": the UID in the precondition (other) does not match the UID in record (${made.metadata.uid}). The object might have been deleted and then recreated`,
  )
  expect(() => store.patch(Pod, KEY, { metadata: { uid: 'other' } }, 'user')).toThrow(
    'Pod "a" is invalid: metadata.uid: Invalid value: "other": field is immutable',
  )
  expect(() => store.update(Pod, made, 'user')).toThrow(
    'Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the latest version and try again',
  )
  expect(() => store.bind(Pod, KEY, made.metadata.uid, 'n2', 'scheduler')).toThrow(
    'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"',
  )
})

test('an object made again has another uid', () => {
  const { pod, store } = testStore()
  const first = pod('a')
  store.delete(Pod, KEY, 'user')
  expect(pod('a').metadata.uid).not.toBe(first.metadata.uid)
})

test('status is written by itself alone', () => {
  const { store, made } = scheduled()
  const live = store.get(Pod, KEY)
  const wrong = {
    ...live,
    spec: { ...live.spec, nodeName: 'n9' },
    status: { ...live.status, phase: 'Running' as const },
  }
  expect(store.updateStatus(Pod, wrong, 'kubelet')).toMatchObject({
    spec: { nodeName: 'n1' },
    status: { phase: 'Running' },
  })
  const label = { ...store.get(Pod, KEY), status: made.status }
  label.metadata = { ...label.metadata, labels: { a: 'b' } }
  expect(store.update(Pod, label, 'user').status.phase).toBe('Running')
})

test('a watch of one node sees pods come to it and go from it', () => {
  const { pod, store } = testStore()
  const seen: string[] = []
  const watch = (value: string) =>
    store.watch(Pod, { field: { path: 'spec.nodeName', value } }, ({ verb, object }) =>
      seen.push(`${value || 'unassigned'} ${verb} ${object.spec.nodeName ?? '-'}`),
    )
  watch('n1')
  watch('')
  const made = pod('a')
  store.bind(Pod, KEY, made.metadata.uid, 'n1', 'scheduler')
  store.delete(Pod, KEY, 'kubelet', { gracePeriodSeconds: 0 })
  expect(seen).toEqual(['unassigned ADDED -', 'n1 ADDED n1', 'unassigned DELETED -', 'n1 MODIFIED n1', 'n1 DELETED n1'])
})

test('a watch from a version that is forgotten expires', () => {
  const { pod, store } = testStore({ watchHistory: 4 })
  for (let i = 0; i < 20; i++) pod(`p${i}`)
  const watch = (fromVersion: number) => () => store.watch(Pod, { fromVersion }, () => {})
  expect(watch(2)).toThrow(/^too old resource version: 2 \(\d+\)$/)
  try {
    watch(2)()
  } catch (error) {
    expect(isApiError(error, 'Expired')).toBe(true)
  }
  expect(watch(store.resourceVersion - 4)).not.toThrow()
})

test('names are generated, and stay within 63 characters', () => {
  const { store } = testStore()
  const spec = { containers: [{ name: 'main', image: 'a' }] }
  const made = store.create(Pod, draft({ generateName: `${'x'.repeat(70)}-` }, spec), 'test')
  expect(made.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/)
})

test('a namespace that goes takes nothing new', () => {
  const { store, pod } = testStore()
  store.create(Namespace, { metadata: { name: 'default', finalizers: ['seatrial.dev/hold'] } } as never, 'test')
  store.delete(Namespace, 'default', 'test')
  expect(() => pod('a')).toThrow(
    'pods "a" is forbidden: unable to create new content in namespace default because it is being terminated',
  )
})

test('apply creates, leaves alone, changes, and takes away what it once said', () => {
  const { store } = testStore()
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ]
  const manifest = (fields: object, container: object = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: {
      ...deploymentSpec,
      template: { ...deploymentSpec.template, spec: { containers: [{ name: 'main', image: 'app:1', ...container }] } },
      ...fields,
    },
  })
  expect(apply(store, manifest({ minReadySeconds: 5 }, { env }), 'kubectl').action).toBe('created')
  store.patch(Deployment, KEY, { spec: { replicas: 7 } }, 'hpa')
  expect(apply(store, manifest({ minReadySeconds: 5 }, { env }), 'kubectl').action).toBe('unchanged')
  const after = apply(store, manifest({ strategy: { type: 'Recreate' } }, { env: [env[1]] }), 'kubectl')
  expect(after.action).toBe('configured')
  const { spec } = store.get(Deployment, KEY)
  expect(spec).toMatchObject({ replicas: 7, strategy: { type: 'Recreate' } })
  expect(spec).not.toHaveProperty('minReadySeconds')
  expect(spec.strategy).not.toHaveProperty('rollingUpdate')
  expect(spec.template.spec.containers[0]!.env).toEqual([env[1]])
  expect(spec.template.spec.containers[0]!.imagePullPolicy).toBe('IfNotPresent')
})
