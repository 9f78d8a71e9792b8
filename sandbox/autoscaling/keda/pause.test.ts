import { expect, test } from 'vitest'
import { runController } from '../../controllers/controller.ts'
import { garbageCollector } from '../../controllers/garbage-collector.ts'
import { WEB } from '../../controllers/testkit.ts'
import { HorizontalPodAutoscaler, ScaledObject } from '../../kube/kinds.ts'
import { kedaCluster, prometheusTrigger } from './testkit.ts'

test('paused: no HPA, no queries, replicas held at a count', () => {
  const cluster = kedaCluster(3)
  cluster.answer(50)
  cluster.apply({})
  cluster.run(40)
  expect(cluster.hpa()).toBeDefined()
  cluster.annotate({ 'autoscaling.keda.sh/paused-replicas': '5' })
  cluster.run(5)
  const asked = cluster.asked.length
  cluster.run(120)
  expect(cluster.hpa()).toBeUndefined()
  expect(cluster.asked).toHaveLength(asked)
  expect(cluster.replicas()).toBe(5)
  expect(cluster.scaledObject().status?.pausedReplicaCount).toBe(5)
  expect(cluster.statusOf('Paused')).toBe('True ScaledObjectPaused')
  expect(cluster.events()).toContain('KEDAScalersStopped: Stopped scalers watch')
  cluster.annotate({ 'autoscaling.keda.sh/paused-replicas': null })
  cluster.run(35)
  expect(cluster.hpa()).toBeDefined()
  expect(cluster.statusOf('Paused')).toBe('False ScaledObjectUnpaused')
  expect(cluster.asked.length).toBeGreaterThan(asked)
  expect(cluster.scaledObject().status?.pausedReplicaCount).toBeUndefined()
})

test('paused at whatever there is', () => {
  const cluster = kedaCluster(4)
  cluster.answer(0)
  cluster.apply({}, { 'autoscaling.keda.sh/paused': 'true' })
  cluster.run(60)
  expect(cluster.replicas()).toBe(4)
  expect(cluster.hpa()).toBeUndefined()
  expect(cluster.asked).toEqual([])
})

test('scale-in paused: the HPA may not scale down and the target does not go to zero', () => {
  const cluster = kedaCluster(2)
  cluster.answer(0)
  cluster.apply({}, { 'autoscaling.keda.sh/paused-scale-in': 'true' })
  cluster.run(60)
  expect(cluster.replicas()).toBe(2)
  expect(cluster.hpa()?.spec.behavior?.scaleDown?.selectPolicy).toBe('Disabled')
  cluster.annotate({ 'autoscaling.keda.sh/paused-scale-in': null })
  cluster.run(40)
  expect(cluster.replicas()).toBe(0)
  expect(cluster.hpa()?.spec.behavior?.scaleDown?.selectPolicy).not.toBe('Disabled')
})

test('scale-out paused: the target stays at zero', () => {
  const cluster = kedaCluster(0)
  cluster.answer(9)
  cluster.apply({}, { 'autoscaling.keda.sh/paused-scale-out': 'true' })
  cluster.run(60)
  expect(cluster.replicas()).toBe(0)
  expect(cluster.statusOf('Active')).toBe('True ScalerActive')
})

test('activation can be forced', () => {
  const cluster = kedaCluster(0)
  cluster.answer(0)
  cluster.apply({}, { 'autoscaling.keda.sh/force-activation': 'true' })
  cluster.run(5)
  expect(cluster.replicas()).toBe(1)
})

test('the HPA is what the object says', () => {
  const cluster = kedaCluster(1)
  cluster.answer(1)
  cluster.apply({
    minReplicaCount: 1,
    maxReplicaCount: 7,
    advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } } },
    triggers: [
      { type: 'memory', metricType: 'AverageValue', metadata: { value: '1024Mi' } },
      prometheusTrigger({ threshold: '0.25' }, { metricType: 'Value' }),
      { type: 'cpu', metricType: 'Utilization', metadata: { value: '70', containerName: 'main' } },
    ],
  })
  cluster.run(5)
  const { spec, metadata } = cluster.hpa()!
  expect(metadata.labels).toEqual({
    'app.kubernetes.io/name': 'keda-hpa-web',
    'app.kubernetes.io/version': '2.21.0',
    'app.kubernetes.io/part-of': 'web',
    'app.kubernetes.io/managed-by': 'keda-operator',
    'scaledobject.keda.sh/name': 'web',
  })
  expect(spec).toMatchObject({
    minReplicas: 1,
    maxReplicas: 7,
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  })
  expect(spec.metrics).toEqual([
    {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: 'main', target: { type: 'Utilization', averageUtilization: 70 } },
    },
    {
      type: 'External',
      external: {
        metric: { name: 's1-prometheus', selector: { matchLabels: { 'scaledobject.keda.sh/name': 'web' } } },
        target: { type: 'Value', value: '250m' },
      },
    },
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
  ])
})

test('a changed spec changes the HPA and starts the loop anew', () => {
  const cluster = kedaCluster(1)
  cluster.answer(1)
  cluster.apply({ maxReplicaCount: 3 })
  cluster.run(5)
  const asked = cluster.asked.length
  cluster.store.patch(ScaledObject, WEB, { spec: { maxReplicaCount: 9 } }, 'kubectl')
  cluster.run(1)
  expect(cluster.hpa()?.spec.maxReplicas).toBe(9)
  expect(cluster.asked.length).toBe(asked + 1)
})

test('with its object the HPA goes, and the replicas are as before where that is asked for', () => {
  const cluster = kedaCluster(4)
  runController(garbageCollector({ custom: [HorizontalPodAutoscaler, ScaledObject] }), {
    world: cluster.world,
    kube: cluster.kube('kube-controller-manager'),
  })
  cluster.answer(0)
  cluster.apply({ advanced: { restoreToOriginalReplicaCount: true } })
  cluster.run(31)
  expect(cluster.replicas()).toBe(0)
  cluster.store.delete(ScaledObject, WEB, 'kubectl')
  cluster.run(5)
  expect(cluster.replicas()).toBe(4)
  expect(cluster.store.peek(ScaledObject, WEB)).toBeUndefined()
  expect(cluster.hpa()).toBeUndefined()
  const asked = cluster.asked.length
  cluster.run(60)
  expect(cluster.asked).toHaveLength(asked)
})
