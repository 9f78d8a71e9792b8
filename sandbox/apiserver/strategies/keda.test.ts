import { expect, test } from 'vitest'
import { prometheusTrigger, scaledObjectOf } from '../../autoscaling/keda/testkit.ts'
import { ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { testStore } from '../testkit.ts'

const create = (spec: Partial<o.ScaledObjectSpec>, before: Partial<o.ScaledObjectSpec>[] = []): string => {
  const { store } = testStore()
  before.forEach((other, i) => {
    const object = scaledObjectOf(other)
    store.create(ScaledObject, { ...object, metadata: { ...object.metadata, name: `other-${i}` } }, 'kubectl')
  })
  try {
    store.create(ScaledObject, scaledObjectOf(spec), 'kubectl')
    return 'made'
  } catch (error) {
    return (error as Error).message
  }
}
const denied = (why: string) => `admission webhook "vscaledobject.kb.io" denied the request: ${why}`

test('a fallback is static unless it says otherwise', () => {
  const { store } = testStore()
  const made = store.create(ScaledObject, scaledObjectOf({ fallback: { failureThreshold: 1, replicas: 2 } }), 'kubectl')
  expect(made.spec.fallback?.behavior).toBe('static')
})

test('what the schema refuses is refused by its words', () => {
  expect(create({ triggers: [] })).toContain('spec.triggers in body should have at least 1 items')
  expect(create({ pollingInterval: 0 })).toContain('spec.pollingInterval in body should be greater than or equal to 1')
  expect(create({ minReplicaCount: 5, maxReplicaCount: 4 })).toContain(
    'minReplicaCount must be less than or equal to maxReplicaCount',
  )
  expect(create({ triggers: [prometheusTrigger({ threshold: 5 as unknown as string })] })).toContain(
    'spec.triggers[0].metadata.threshold in body must be of type string: "integer"',
  )
})

test('what the webhook refuses is refused by its words', () => {
  expect(create({}, [{}])).toBe(
    denied("the workload 'web' of type 'apps/v1.Deployment' is already managed by the ScaledObject 'other-0'"),
  )
  expect(create({ triggers: [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '80' } }] })).toBe(
    denied("scaledobject has only cpu/memory triggers AND minReplica is 0 (scale to zero doesn't work in this case)"),
  )
  expect(create({ idleReplicaCount: 1 })).toBe(denied('IdleReplicaCount=1 must be less than MinReplicaCount=0'))
  expect(create({ advanced: { scalingModifiers: { formula: 'a + zz', target: '2' } } })).toContain('unknown name a')
  expect(create({})).toBe('made')
})

test('the webhook looks at updates too', () => {
  const { store } = testStore()
  const made = store.create(ScaledObject, scaledObjectOf({}), 'kubectl')
  const patched = () => store.patch(ScaledObject, 'default/web', { spec: { idleReplicaCount: 3 } }, 'kubectl')
  expect(patched).toThrow(denied('IdleReplicaCount=3 must be less than MinReplicaCount=0'))
  expect(store.get(ScaledObject, 'default/web').spec).toEqual(made.spec)
})
