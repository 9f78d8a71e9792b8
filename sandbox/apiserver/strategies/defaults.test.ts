import { expect, test } from 'vitest'
import { Deployment, Node, Pod, PriorityClass } from '../../kube/kinds.ts'
import { draft, testStore } from '../testkit.ts'
import { isLatest } from './images.ts'

test('a bare pod gets everything its type promises', () => {
  const { pod } = testStore()
  const { spec, status, metadata } = pod('a')
  expect(spec).toMatchObject({
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    serviceAccountName: 'default',
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    enableServiceLinks: true,
    containers: [{ imagePullPolicy: 'IfNotPresent', resources: {}, terminationMessagePolicy: 'File' }],
  })
  expect(spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
    ['node.kubernetes.io/not-ready', 300],
    ['node.kubernetes.io/unreachable', 300],
  ])
  expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  expect(metadata).toMatchObject({ namespace: 'default', generation: 1 })
})

test('probes and ports are filled, zero counts as absent', () => {
  const { pod } = testStore()
  const probe = { httpGet: { port: 8000 }, periodSeconds: 0, initialDelaySeconds: 5 }
  const container = { name: 'main', image: 'app', livenessProbe: probe, ports: [{ containerPort: 8000 }] }
  const [made] = pod('a', { containers: [container] }).spec.containers
  expect(made).toMatchObject({ imagePullPolicy: 'Always', ports: [{ protocol: 'TCP' }] })
  expect(made!.livenessProbe).toEqual({
    httpGet: { port: 8000, path: '/', scheme: 'HTTP' },
    initialDelaySeconds: 5,
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
})

test('a pod requests what it limits; a template does not', () => {
  const { pod, deployment } = testStore()
  const containers = [{ name: 'main', image: 'a', resources: { limits: { 'nvidia.com/gpu': 8, memory: '1024Mi' } } }]
  const limits = { 'nvidia.com/gpu': '8', memory: '1Gi' }
  expect(pod('a', { containers }).spec.containers[0]!.resources).toEqual({ limits, requests: limits })
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  expect(deployment('a', { template }).spec.template.spec.containers[0]!.resources).toEqual({ limits })
})

test('pods of one frozen template share one spec', () => {
  const { deployment, store } = testStore()
  const { template } = deployment('a').spec
  const make = (name: string) => store.create(Pod, draft({ name }, template.spec), 'test')
  expect(make('b').spec).toBe(make('c').spec)
})

test('a Deployment rolls by quarters and gives up after ten minutes', () => {
  const { deployment } = testStore()
  expect(deployment('a').spec).toMatchObject({
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
  })
  const half = deployment('b', { strategy: { rollingUpdate: { maxSurge: 0 } } })
  expect(half.spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: '25%' })
})

test('null is absent', () => {
  const { pod } = testStore()
  const made = pod('a', { nodeSelector: null, containers: [{ name: 'a', image: 'a', resources: null }] })
  expect(made.spec).not.toHaveProperty('nodeSelector')
  expect(made.spec.containers[0]!.resources).toEqual({})
})

test('priority comes from the class, the default class, or the system', () => {
  const { pod, store } = testStore()
  expect(pod('a', { priorityClassName: 'system-node-critical' }).spec.priority).toBe(2000001000)
  expect(() => pod('b', { priorityClassName: 'gold' })).toThrow(
    'pods "b" is forbidden: no PriorityClass with name gold was found',
  )
  const gold = { metadata: { name: 'gold' }, value: 100, globalDefault: true, preemptionPolicy: 'Never' }
  store.create(PriorityClass, gold as never, 'test')
  expect(pod('c').spec).toMatchObject({ priority: 100, priorityClassName: 'gold', preemptionPolicy: 'Never' })
  expect(() => pod('d', { priority: 7 })).toThrow('the integer value of priority (7) must not be provided in pod spec')
})

test('a service account that is not there is refused', () => {
  const { pod } = testStore()
  expect(() => pod('a', { serviceAccountName: 'robot' })).toThrow(
    'pods "a" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
  )
})

test('a node brings its status; allocatable is capacity unless said', () => {
  const { store } = testStore()
  const node = store.create(Node, { metadata: { name: 'n' }, status: { capacity: { cpu: '8000m' } } } as never, 'test')
  expect(node.status).toEqual({ capacity: { cpu: '8' }, allocatable: { cpu: '8' } })
})

test.each([
  ['app', true],
  ['app:latest', true],
  ['registry:5000/app', true],
  ['registry:5000/app:1', false],
  ['app@sha256:00', false],
  ['app:latest@sha256:00', true],
])('image %s is pulled always: %s', (image, always) => expect(isLatest(image)).toBe(always))

test.each([
  [{}, 'BestEffort'],
  [{ requests: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
  [{ limits: { 'nvidia.com/gpu': '1' } }, 'BestEffort'],
])('resources %j are %s', (resources, qos) => {
  const { pod } = testStore()
  expect(pod('a', { containers: [{ name: 'a', image: 'a', resources }] }).status.qosClass).toBe(qos)
})

test('a pod’s grace period below zero is a second; a template’s stays', () => {
  const { pod, store } = testStore()
  const container = { name: 'main', image: 'app' }
  expect(pod('negative', { terminationGracePeriodSeconds: -5 }).spec.terminationGracePeriodSeconds).toBe(1)
  const spec = { terminationGracePeriodSeconds: -5, containers: [container] }
  const template = { metadata: { labels: { app: 'a' } }, spec }
  const made = store.create(
    Deployment,
    draft({ name: 'd' }, { selector: { matchLabels: { app: 'a' } }, template }),
    'test',
  )
  expect(made.spec.template.spec.terminationGracePeriodSeconds).toBe(-5)
})
