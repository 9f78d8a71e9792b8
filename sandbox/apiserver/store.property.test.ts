import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equal } from '../journal/merge-patch.ts'
import { Scrubber } from '../journal/scrub.ts'
import { isApiError } from '../kube/errors.ts'
import { ConfigMap, keyOf, Pod } from '../kube/kinds.ts'
import type { KubeObject, OtherObject } from '../kube/objects.ts'
import { testStore } from './testkit.ts'
import type { StoreEvent } from './watchers.ts'

type Step =
  | { do: 'create' | 'delete'; name: string }
  | { do: 'patch'; name: string; field: string; value: unknown }
  | { do: 'update'; name: string; data: Record<string, string>; stale: boolean }
  | { do: 'finalizers'; name: string; finalizers: string[] }

const name = fc.constantFrom('a', 'b')
const value = fc.oneof(
  fc.constant(null),
  fc.string(),
  fc.integer(),
  fc.dictionary(fc.constantFrom('x', 'y'), fc.option(fc.string()), { noNullPrototype: true }),
  fc.array(fc.option(fc.integer()), { maxLength: 2 }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('create' as const, 'delete' as const), name }),
  fc.record({ do: fc.constant('patch' as const), name, field: fc.constantFrom('p', 'q'), value }),
  fc.record({
    do: fc.constant('update' as const),
    name,
    data: fc.dictionary(fc.constantFrom('x', 'y'), fc.string(), { noNullPrototype: true }),
    stale: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('finalizers' as const),
    name,
    finalizers: fc.uniqueArray(fc.constantFrom('seatrial.dev/a', 'seatrial.dev/b')),
  }),
)

/** What the store should hold: a map, and the three rules of deletion. */
class Model {
  readonly objects = new Map<string, { finalizers: string[]; deleting: boolean }>()

  run(step: Step): 'ok' | 'AlreadyExists' | 'NotFound' | 'Conflict' | 'Invalid' {
    const object = this.objects.get(step.name)
    if (step.do === 'create') {
      if (object) return 'AlreadyExists'
      this.objects.set(step.name, { finalizers: [], deleting: false })
      return 'ok'
    }
    if (!object) return 'NotFound'
    if (step.do === 'update' && step.stale) return 'Conflict'
    if (step.do === 'delete') {
      object.deleting = true
      if (object.finalizers.length === 0) this.objects.delete(step.name)
    }
    if (step.do === 'finalizers') {
      if (object.deleting && step.finalizers.some((f) => !object.finalizers.includes(f))) return 'Invalid'
      object.finalizers = step.finalizers
      if (object.deleting && step.finalizers.length === 0) this.objects.delete(step.name)
    }
    return 'ok'
  }
}

type Kit = ReturnType<typeof testStore>

function perform({ store, clock }: Kit, step: Step): void {
  clock.runUntil(clock.now + 400_000)
  const key = `default/${step.name}`
  if (step.do === 'create') store.create(ConfigMap, { metadata: { name: step.name } } as never, 'test')
  else if (step.do === 'delete') store.delete(ConfigMap, key, 'test')
  else if (step.do === 'patch') store.patch(ConfigMap, key, { [step.field]: step.value }, 'test')
  else if (step.do === 'finalizers') store.patch(ConfigMap, key, { metadata: { finalizers: step.finalizers } }, 'test')
  else if (step.do === 'update') {
    const object = store.get(ConfigMap, key)
    const resourceVersion = step.stale ? '1' : object.metadata.resourceVersion
    const { data } = step
    store.update(
      ConfigMap,
      { ...object, data, metadata: { ...object.metadata, resourceVersion } } as OtherObject,
      'test',
    )
  }
}

function outcome(kit: Kit, step: Step): string {
  try {
    perform(kit, step)
    return 'ok'
  } catch (error) {
    const reasons = ['AlreadyExists', 'NotFound', 'Conflict', 'Invalid'] as const
    const reason = reasons.find((item) => isApiError(error, item))
    if (!reason) throw error
    return reason
  }
}

function replay(into: Map<string, KubeObject>, { verb, object }: StoreEvent): void {
  if (verb === 'DELETED') into.delete(keyOf(object))
  else into.set(keyOf(object), object)
}

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))

test('the store does what the model says, and its watchers see exactly that', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat(40), (steps, joinAt) => {
      const kit = testStore()
      const { store } = kit
      const model = new Model()
      const versions: number[] = []
      const seen = new Map<string, KubeObject>()
      store.watch(ConfigMap, {}, (event) => {
        versions.push(event.version)
        expect(isFrozen(event.object)).toBe(true)
        expect(event.object.metadata.resourceVersion).toBe(String(event.version))
        replay(seen, event)
      })
      let joined: { from: number; state: Map<string, KubeObject> } | undefined
      for (const [i, item] of steps.entries()) {
        if (i === joinAt) joined = { from: store.resourceVersion, state: new Map(seen) }
        expect(outcome(kit, item)).toBe(model.run(item))
      }
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
      const listed = new Map(store.list(ConfigMap).map((object) => [keyOf(object), object as KubeObject]))
      expect([...listed.keys()].sort()).toEqual([...model.objects.keys()].map((key) => `default/${key}`).sort())
      expect(seen).toEqual(listed)
      if (!joined) return
      const { from, state } = joined
      store.watch(ConfigMap, { fromVersion: from }, (event) => {
        expect(event.version).toBeGreaterThan(from)
        replay(state, event)
      })
      expect(state).toEqual(listed)
    }),
    { numRuns: 300 },
  )
})

test('the journal rebuilds every version exactly', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const kit = testStore()
      const versions: { at: number; objects: Map<string, KubeObject> }[] = []
      for (const item of steps) {
        outcome(kit, item)
        const objects = kit.store.list(ConfigMap).map((object) => [keyOf(object), object as KubeObject] as const)
        versions.push({ at: kit.clock.now, objects: new Map(objects) })
      }
      const scrubber = new Scrubber(JSON.parse(JSON.stringify(kit.journal.records)))
      for (const { at, objects } of versions) {
        const rebuilt = scrubber.stateAt(at).get(ConfigMap.id) ?? new Map()
        expect(rebuilt.size).toBe(objects.size)
        for (const [key, object] of objects) expect(equal(rebuilt.get(key), object)).toBe(true)
      }
    }),
    { numRuns: 200 },
  )
})

test('a write that changes nothing has no version', () => {
  const { store, pod } = testStore()
  const made = pod('a')
  const version = store.resourceVersion
  expect(store.update(Pod, { ...made, spec: { ...made.spec } }, 'test')).toBe(made)
  expect(store.patch(Pod, 'default/a', { metadata: { labels: null } }, 'test')).toBe(made)
  expect(store.resourceVersion).toBe(version)
})

test('the same steps give the same hash, other seeds another', () => {
  const header = { schemaVersion: 1, seatrial: '0', seed: 1, scenario: 's', tier: 'sim', inputs: {} } as const
  const run = (seed: number) => {
    const { journal, pod } = testStore({ seed })
    for (let i = 0; i < 20; i++) pod('', {}, { name: undefined, generateName: 'web-' })
    return journal.hash(header)
  }
  expect(run(1)).toBe(run(1))
  expect(run(1)).not.toBe(run(2))
})
