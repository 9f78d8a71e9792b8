import { expect, test } from 'vitest'
import { runController } from '../../controllers/controller.ts'
import { canonical } from '../../journal/record.ts'
import { defaultProfile, instant, type LagProfile } from '../../kube/lag.ts'
import { MetricsApis, metricsClient } from '../../metrics/adapter/metrics-client.ts'
import { horizontalPodAutoscaler } from '../hpa/controller.ts'
import { kedaBackend } from './metrics-server.ts'
import { type KedaCluster, kedaCluster, prometheusTrigger } from './testkit.ts'

/** A cluster whose HPA controller reads external metrics from KEDA. */
function withHpa(replicas: number, profile?: LagProfile): KedaCluster {
  const cluster = kedaCluster(replicas, profile)
  const { world } = cluster
  const apis = new MetricsApis()
  apis.serve('external.metrics.k8s.io', 'keda', kedaBackend(cluster.keda.metrics))
  const process = 'kube-controller-manager'
  const metrics = metricsClient({ world, apis, latency: (profile ?? instant).requestLatency.read, process })
  runController(horizontalPodAutoscaler({ metrics }), {
    world: cluster.world,
    kube: cluster.kube('kube-controller-manager'),
  })
  return cluster
}

test('KEDA takes the target from zero, the HPA takes it on, and KEDA takes it back', () => {
  const cluster = withHpa(0)
  cluster.answer(23)
  cluster.apply({ cooldownPeriod: 30, maxReplicaCount: 8 })
  cluster.run(120)
  // 23 at 5 a replica
  expect(cluster.replicas()).toBe(5)
  expect(cluster.statusOf('HPAActive')).toBe('True HPAActive')
  cluster.answer(0)
  cluster.run(90)
  expect(cluster.replicas()).toBe(0)
})

test('a series that goes missing under load takes all replicas away, unless nulls are not ignored', () => {
  for (const [ignoreNullValues, left] of [
    ['true', 0],
    ['false', 5],
  ] as const) {
    const cluster = withHpa(1)
    cluster.answer(25)
    cluster.apply({ cooldownPeriod: 60, triggers: [prometheusTrigger({ ignoreNullValues })] })
    cluster.run(120)
    expect(cluster.replicas()).toBe(5)
    cluster.answer('nothing')
    cluster.run(400)
    expect(cluster.replicas()).toBe(left)
  }
})

test('where polling does not matter the HPA asks, and the loop takes what it saw', () => {
  const cluster = withHpa(1)
  cluster.answer(7)
  cluster.apply({ minReplicaCount: 1, pollingInterval: 1 })
  cluster.run(61)
  const asked = cluster.asked.length
  cluster.run(60)
  // the HPA's interval is 15 s
  expect(cluster.asked.length - asked).toBe(4)
  expect(cluster.replicas()).toBe(2)
  expect(cluster.statusOf('Active')).toBe('True ScalerActive')
})

test('the fallback holds its replicas while the trigger fails', () => {
  const cluster = withHpa(2)
  cluster.answer(10)
  cluster.apply({ minReplicaCount: 1, fallback: { failureThreshold: 3, replicas: 6 } })
  cluster.run(60)
  expect(cluster.replicas()).toBe(2)
  cluster.answer('error')
  cluster.run(180)
  expect(cluster.replicas()).toBe(6)
})

test('what KEDA refuses stands once in the words of the HPA', () => {
  const cluster = withHpa(2)
  cluster.answer('error')
  cluster.apply({ minReplicaCount: 1 })
  cluster.run(60)
  expect(cluster.events()).toContain(
    'FailedGetExternalMetric: unable to get external metric default/s0-prometheus/&LabelSelector{MatchLabels:map[string]string{scaledobject.keda.sh/name: web,},MatchExpressions:[]LabelSelectorRequirement{},}: ' +
      'unable to fetch metrics from external metrics API: rpc error: code = Unknown desc = error when getting metric values metric:s0-prometheus encountered error',
  )
})

test('with lag it comes to the same, and the same seed writes the same journal', () => {
  const journal = () => {
    const cluster = withHpa(0, defaultProfile)
    cluster.answer(23)
    cluster.apply({ cooldownPeriod: 30 })
    cluster.run(120)
    expect(cluster.replicas()).toBe(5)
    cluster.answer('error')
    cluster.run(60)
    cluster.answer(0)
    cluster.run(90)
    expect(cluster.replicas()).toBe(0)
    return canonical(cluster.world.journal.records)
  }
  expect(journal()).toBe(journal())
})
