import { expect, test } from 'vitest'
import { Deployment } from '../../kube/kinds.ts'
import { toSeconds } from '../../world/time.ts'
import { kedaCluster, prometheusTrigger } from './testkit.ts'

test('a target goes to zero when nobody calls, and comes back when somebody does', () => {
  const cluster = kedaCluster(3)
  cluster.answer(0)
  cluster.apply({ cooldownPeriod: 60 })
  cluster.run(5)
  // never was active: no cooldown but the initial one
  expect(cluster.replicas()).toBe(0)
  expect(cluster.statusOf('Active')).toBe('False ScalerNotActive')
  cluster.answer(0.1)
  cluster.run(30)
  expect(cluster.replicas()).toBe(1)
  expect(cluster.statusOf('Active')).toBe('True ScalerActive')
  expect(cluster.events()).toContain(
    'KEDAScaleTargetActivated: Scaled apps/v1.Deployment default/web from 0 to 1, triggered by s0-prometheus',
  )
  expect(cluster.events()).toContain(
    'KEDAScaleTargetDeactivated: Deactivated apps/v1.Deployment default/web from 3 to 0',
  )
})

test('after activity the cooldown has to pass', () => {
  const cluster = kedaCluster(1)
  cluster.answer(10)
  cluster.apply({ cooldownPeriod: 100, pollingInterval: 10 })
  cluster.run(21)
  cluster.answer(0)
  cluster.run(97)
  expect(cluster.replicas()).toBe(1)
  expect(cluster.statusOf('Active')).toBe('False ScalerCooldown')
  cluster.run(5)
  expect(cluster.replicas()).toBe(0)
})

test('the initial cooldown counts from the creation of an object that was never active', () => {
  const cluster = kedaCluster(2)
  cluster.answer(0)
  cluster.apply({ initialCooldownPeriod: 120 })
  cluster.run(119)
  expect(cluster.replicas()).toBe(2)
  cluster.run(35)
  expect(cluster.replicas()).toBe(0)
})

test('activation has a bound of its own, apart from the threshold', () => {
  const cluster = kedaCluster(0)
  cluster.answer(20)
  cluster.apply({ triggers: [prometheusTrigger({ activationThreshold: '20' })] })
  cluster.run(60)
  expect(cluster.replicas()).toBe(0)
  cluster.answer(20.001)
  cluster.run(30)
  expect(cluster.replicas()).toBe(1)
  expect(cluster.metric('s0-prometheus')).toEqual([20001])
})

test('polls at its interval', () => {
  const cluster = kedaCluster(1)
  cluster.answer(1)
  cluster.apply({ pollingInterval: 15 })
  cluster.run(60)
  expect(cluster.asked.map(toSeconds)).toEqual([0, 15, 30, 45, 60])
})

test('idle replicas take the place of zero', () => {
  const cluster = kedaCluster(4)
  cluster.answer(0)
  cluster.apply({ idleReplicaCount: 1, minReplicaCount: 2 })
  cluster.run(5)
  expect(cluster.replicas()).toBe(1)
  cluster.answer(1)
  cluster.run(30)
  expect(cluster.replicas()).toBe(2)
})

test('a target below its minimum is raised to it', () => {
  const cluster = kedaCluster(1)
  cluster.answer(0)
  cluster.apply({ minReplicaCount: 3 })
  cluster.run(5)
  expect(cluster.replicas()).toBe(3)
})

test('a series that is gone counts as nothing to do, unless nulls are not ignored', () => {
  const trusting = kedaCluster(2)
  trusting.answer('nothing')
  trusting.apply({})
  trusting.run(5)
  expect(trusting.replicas()).toBe(0)
  const wary = kedaCluster(2)
  wary.answer('nothing')
  wary.apply({ triggers: [prometheusTrigger({ ignoreNullValues: 'false' })] })
  wary.run(35)
  expect(wary.replicas()).toBe(2)
  expect(wary.statusOf('Ready')).toBe('False TriggerError')
  expect(wary.events()).toContain(
    "KEDAScalerFailed: prometheus metrics 'prometheus' target may be lost, the result is empty",
  )
  expect(wary.metric('s0-prometheus')).toBe(
    'rpc error: code = Unknown desc = error when getting metric values metric:s0-prometheus encountered error',
  )
})

test('a failing trigger is asked twice each time, and replicas stay', () => {
  const cluster = kedaCluster(2)
  cluster.answer('error')
  cluster.apply({})
  cluster.run(5)
  expect(cluster.replicas()).toBe(2)
  expect(cluster.asked).toHaveLength(2)
  expect(cluster.events()).toContain('KEDAScalerFailed: prometheus query api returned error. status: 503')
})

test('after enough failures the fallback tells the HPA how many replicas to hold', () => {
  const cluster = kedaCluster(2)
  cluster.answer('error')
  cluster.apply({ fallback: { failureThreshold: 3, replicas: 6 } })
  cluster.run(89)
  expect(cluster.scaledObject().status?.health).toEqual({ 's0-prometheus': { numberOfFailures: 3, status: 'Failing' } })
  expect(cluster.statusOf('Fallback')).toBe('False NoFallbackFound')
  cluster.run(2)
  expect(cluster.statusOf('Fallback')).toBe('True FallbackExists')
  // threshold 5 a replica
  expect(cluster.metric('s0-prometheus')).toEqual([30_000])
  expect(cluster.events()).toContain('ScaledObjectFallbackActivated: ScaledObject fallback is active')
  expect(cluster.replicas()).toBe(2)
  cluster.answer(7)
  cluster.run(30)
  expect(cluster.statusOf('Fallback')).toBe('False NoFallbackFound')
  expect(cluster.events()).toContain('ScaledObjectFallbackDeactivated: ScaledObject fallback is no longer active')
  expect(cluster.metric('s0-prometheus')).toEqual([7000])
})

test('a slow server is a failing one', () => {
  const cluster = kedaCluster(2)
  cluster.answer(1)
  cluster.setCondition({ latency: 4_000_000 })
  cluster.apply({})
  cluster.run(10)
  expect(cluster.events().find((event) => event.startsWith('KEDAScalerFailed'))).toMatch(
    /^KEDAScalerFailed: Get "http:\/\/prometheus.*&time=2026-01-01T00:00:03Z": context deadline exceeded/,
  )
})

test('useCachedMetrics answers the HPA with what the loop saw', () => {
  const cluster = kedaCluster(1)
  cluster.answer(8)
  cluster.apply({ minReplicaCount: 1, triggers: [prometheusTrigger({}, { useCachedMetrics: true })] })
  cluster.run(5)
  cluster.answer(100)
  expect(cluster.metric('s0-prometheus')).toEqual([8000])
  cluster.run(30)
  expect(cluster.metric('s0-prometheus')).toEqual([100_000])
})

test('a formula makes one metric of several', () => {
  const cluster = kedaCluster(0)
  cluster.answer(4)
  cluster.apply({
    advanced: { scalingModifiers: { formula: 'a > 3 ? a + b : 0', target: '2', activationTarget: '7' } },
    triggers: [prometheusTrigger({}, { name: 'a' }), prometheusTrigger({}, { name: 'b' })],
  })
  cluster.run(5)
  expect(cluster.metric('composite-metric')).toEqual([8000])
  expect(cluster.replicas()).toBe(1)
  expect(cluster.hpa()?.spec.metrics).toEqual([
    {
      type: 'External',
      external: {
        metric: { name: 'composite-metric', selector: { matchLabels: { 'scaledobject.keda.sh/name': 'web' } } },
        target: { type: 'AverageValue', averageValue: '2' },
      },
    },
  ])
})

test('a trigger that is not modelled is reported and never guessed', () => {
  const cluster = kedaCluster(2)
  cluster.apply({ triggers: [{ type: 'kafka', metadata: {} }] })
  cluster.run(5)
  expect([...cluster.keda.refusals]).toEqual(['default/web: trigger kafka'])
  expect(cluster.statusOf('Ready')).toBe('False ScaledObjectCheckFailed')
})

test('a target that is not there yet is waited for', () => {
  const cluster = kedaCluster(1)
  cluster.store.delete(Deployment, 'default/web', 'kubectl')
  cluster.apply({})
  cluster.run(1)
  expect(cluster.events()).toContain(
    `ScaledObjectCheckFailed: ScaledObject doesn't have correct scaleTargetRef specification: Deployment.apps "web" not found`,
  )
  expect(cluster.hpa()).toBeUndefined()
})
