import { expect, test } from 'vitest'
import { sourceOf } from '../../platform.ts'
import { findVllmServers } from '../inference-servers.ts'
import { scalingOf } from './scaling.ts'
import { hpa, platformOf, prometheusTrigger, scaledObject } from './testkit.ts'

async function scalingIn(document: string) {
  const platform = await platformOf([document])
  return scalingOf(platform, findVllmServers(platform)[0]!)
}

test('an HPA: every type of metric, each with its place', async () => {
  const scaling = await scalingIn(
    hpa(`    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
    - {type: ContainerResource, containerResource: {name: memory, container: vllm, target: {type: AverageValue, averageValue: 8Gi}}}
    - {type: Pods, pods: {metric: {name: vllm_num_requests_waiting}, target: {type: AverageValue, averageValue: "5"}}}
    - type: Object
      object: {metric: {name: rps}, describedObject: {apiVersion: v1, kind: Service, name: chat}, target: {type: Value, value: 2k}}
    - type: External
      external: {metric: {name: queue, selector: {matchLabels: {model: m}}}, target: {type: AverageValue, averageValue: "10"}}`),
  )
  expect(scaling).toMatchObject({ kind: 'hpa', minReplicas: 1, maxReplicas: 6, toZero: false })
  expect(scaling!.signals).toMatchObject([
    { kind: 'resource', resource: 'cpu', utilization: 70 },
    { kind: 'resource', resource: 'memory', container: 'vllm', averageValue: '8Gi' },
    { kind: 'pods', metric: 'vllm_num_requests_waiting', averageValue: '5' },
    { kind: 'object', metric: 'rps', describes: 'Service/chat', value: '2k' },
    { kind: 'external', metric: 'queue', selector: { matchLabels: { model: 'm' } } },
  ])
  const places = scaling!.signals.map(({ path }) => sourceOf(scaling!.object, path))
  expect(places.every(({ absent }) => absent === undefined)).toBe(true)
  expect(new Set(places.map(({ line, column }) => `${line}:${column}`)).size).toBe(5)
})

test('an HPA without metrics scales on CPU', async () => {
  const v1 =
    'apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: chat, namespace: llm}\nspec: {maxReplicas: 3, targetCPUUtilizationPercentage: 60, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}}'
  expect((await scalingIn(v1))!.signals).toMatchObject([{ resource: 'cpu', utilization: 60 }])
  expect((await scalingIn(v1.replace('targetCPUUtilizationPercentage: 60, ', '')))!.signals).toMatchObject([
    { resource: 'cpu', utilization: 80 },
  ])
})

test('a ScaledObject: to zero, idle replicas, triggers', async () => {
  const scaling = await scalingIn(
    scaledObject(
      `${prometheusTrigger('sum(vllm:num_requests_waiting)')}
    - {type: cron, metadata: {timezone: UTC, start: 0 8 * * *, end: 0 20 * * *, desiredReplicas: "2"}}
    - {type: cpu, metricType: Utilization, metadata: {value: "50", containerName: vllm}}
    - {type: kafka, metadata: {topic: t}}`,
    ),
  )
  expect(scaling).toMatchObject({ kind: 'keda', minReplicas: 0, maxReplicas: 8, toZero: true })
  expect(scaling!.signals).toMatchObject([
    { kind: 'prometheus', query: 'sum(vllm:num_requests_waiting)', threshold: '5' },
    { kind: 'cron', desiredReplicas: '2' },
    { kind: 'resource', resource: 'cpu', container: 'vllm', utilization: 50 },
    { kind: 'other', type: 'kafka' },
  ])
  const idle = scaledObject('    - {type: cron, metadata: {}}', '  idleReplicaCount: 0\n').replace(
    'minReplicaCount: 0',
    'minReplicaCount: 2',
  )
  expect(await scalingIn(idle)).toMatchObject({ minReplicas: 2, idleReplicas: 0, toZero: true })
})

test('other kinds that name the workload are no scaling that is known', async () => {
  const vpa =
    'apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: v, namespace: llm}\nspec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}}'
  expect(await scalingIn(vpa)).toBeUndefined()
})
