import { describe, expect, test } from 'vitest'
import { Deployment, Pod, Service } from '../../kube/kinds.ts'
import { deploymentSpec, testStore } from '../testkit.ts'

const container = (fields: object) => ({ containers: [{ name: 'main', image: 'a', ...fields }] })
const limits = (list: object) => container({ resources: { limits: list } })

describe('pods', () => {
  test.each<[string, object, string]>([
    ['no containers', { containers: [] }, 'spec.containers: Required value'],
    [
      'a name with dots',
      container({ name: 'a.b' }),
      'spec.containers[0].name: Invalid value: "a.b": must not contain dots',
    ],
    [
      'two of a name',
      {
        containers: [
          { name: 'a', image: 'a' },
          { name: 'a', image: 'a' },
        ],
      },
      'spec.containers[1].name: Duplicate value: "a"',
    ],
    [
      'a liveness probe that must succeed twice',
      container({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }),
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
    ],
    [
      'a probe that does nothing',
      container({ readinessProbe: {} }),
      'spec.containers[0].readinessProbe: Required value: must specify a handler type',
    ],
    [
      'a probe that does two things',
      container({ readinessProbe: { tcpSocket: { port: 1 }, httpGet: { port: 1 } } }),
      'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
    ],
    [
      'half a GPU',
      limits({ 'nvidia.com/gpu': '500m' }),
      '[spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer, spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: "500m": must be an integer]',
    ],
    [
      'an unknown resource',
      limits({ gpu: '1' }),
      ['limits', 'requests']
        .flatMap((list) =>
          ['must be a standard resource type or fully qualified', 'must be a standard resource for containers'].map(
            (why) => `spec.containers[0].resources.${list}[gpu]: Invalid value: "gpu": ${why}`,
          ),
        )
        .join(', ')
        .replace(/^.*$/, '[$&]'),
    ],
    [
      'requests above limits',
      container({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      'fewer GPUs than the limit',
      container({ resources: { limits: { 'nvidia.com/gpu': 2 }, requests: { 'nvidia.com/gpu': 1 } } }),
      'spec.containers[0].resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
    ],
    [
      'a mount of no volume',
      container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'a policy nobody knows',
      { ...container({}), restartPolicy: 'Sometimes' },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      'a probe on an init container',
      { ...container({}), initContainers: [{ name: 'i', image: 'a', livenessProbe: { tcpSocket: { port: 1 } } }] },
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
    [
      'a sleep longer than the grace period',
      { ...container({ lifecycle: { preStop: { sleep: { seconds: 40 } } } }) },
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 40: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  ])('%s', (_, spec, message) => {
    const { pod } = testStore()
    expect(() => pod('a', spec)).toThrow(`Pod "a" is invalid: ${message}`)
  })

  test('a sidecar may be probed', () => {
    const { pod } = testStore()
    const sidecar = { name: 's', image: 'a', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 1 } } }
    expect(
      pod('a', { ...container({}), initContainers: [sidecar] }).spec.initContainers![0]!.startupProbe,
    ).toBeDefined()
  })

  test('a spec may change by its images alone', () => {
    const { pod, store } = testStore()
    const made = pod('a')
    const [main] = made.spec.containers
    store.patch(Pod, 'default/a', { spec: { containers: [{ ...main, image: 'b' }] } }, 'test')
    expect(() => store.patch(Pod, 'default/a', { spec: { nodeSelector: { a: 'b' } } }, 'test')).toThrow(
      'Pod "a" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
    )
    expect(store.get(Pod, 'default/a').metadata.generation).toBe(2)
  })
})

describe('Deployments', () => {
  const strategy = (rollingUpdate: object) => ({ strategy: { rollingUpdate } })
  test.each<[string, object, string]>([
    ['a negative count', { replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    [
      'a selector of something else',
      { selector: { matchLabels: { app: 'api' } } },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [
      'nothing that may move',
      strategy({ maxSurge: 0, maxUnavailable: 0 }),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ],
    [
      'more than all',
      strategy({ maxUnavailable: '101%' }),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      'a percentage that is none',
      strategy({ maxSurge: 'many' }),
      `spec.strategy.rollingUpdate.maxSurge: Invalid value: "many": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
    ],
    [
      'a deadline before pods count',
      { minReadySeconds: 700 },
      'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
    ],
    [
      'pods that end',
      { template: { ...deploymentSpec.template, spec: { ...deploymentSpec.template.spec, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
  ])('%s', (_, spec, message) => {
    const { deployment } = testStore()
    expect(() => deployment('a', spec)).toThrow(`Deployment.apps "a" is invalid: ${message}`)
  })

  test('the selector stays', () => {
    const { deployment, store } = testStore()
    deployment('a')
    const labels = { app: 'web', tier: 'front' }
    const patch = { spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } } }
    expect(() => store.patch(Deployment, 'default/a', patch, 'test')).toThrow(
      'Deployment.apps "a" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable',
    )
  })

  test('annotations raise the generation, labels and status do not', () => {
    const { deployment, store } = testStore()
    deployment('a')
    const patch = (value: object, options = {}) =>
      store.patch(Deployment, 'default/a', value, 'test', options).metadata.generation
    expect(patch({ metadata: { labels: { a: 'b' } } })).toBe(1)
    expect(patch({ metadata: { annotations: { a: 'b' } } })).toBe(2)
    expect(patch({ status: { replicas: 1 } }, { subresource: 'status' })).toBe(2)
    expect(() => patch({ status: { readyReplicas: 2 } }, { subresource: 'status' })).toThrow(
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    )
  })
})

describe('Services', () => {
  test('addresses and node ports are handed out once', () => {
    const { service, store } = testStore()
    const [a, b] = [service('a', { type: 'NodePort' }), service('b', { type: 'NodePort' })]
    expect(a.spec.clusterIP).not.toBe(b.spec.clusterIP)
    const [port] = a.spec.ports!
    expect(port!.nodePort).toBeGreaterThanOrEqual(30000)
    expect(port!.nodePort).not.toBe(b.spec.ports![0]!.nodePort)
    const same = { type: 'NodePort', ports: [{ port: 80, nodePort: port!.nodePort }] }
    expect(() => service('c', same)).toThrow(
      `Service "c" is invalid: spec.ports[0].nodePort: Invalid value: ${port!.nodePort}: provided port is already allocated`,
    )
    store.delete(Service, 'default/a', 'test')
    expect(service('c', { ...same, clusterIP: a.spec.clusterIP }).spec.clusterIP).toBe(a.spec.clusterIP)
  })

  test('a change of type gives node ports back and keeps the address', () => {
    const { service, store } = testStore()
    const before = service('a', { type: 'NodePort' })
    const after = store.patch(Service, 'default/a', { spec: { type: 'ClusterIP' } }, 'test')
    expect(after.spec.ports![0]).not.toHaveProperty('nodePort')
    expect(after.spec.clusterIP).toBe(before.spec.clusterIP)
    const ports = [{ port: 80, nodePort: before.spec.ports![0]!.nodePort }]
    expect(service('b', { type: 'NodePort', ports }).spec.ports![0]!.nodePort).toBe(ports[0]!.nodePort)
  })

  test('a refused change takes nothing and gives nothing back', () => {
    const { service, store } = testStore()
    const [a, b] = [service('a'), service('b')]
    const { clusterIP } = a.spec
    expect(() => store.patch(Service, 'default/b', { spec: { clusterIP, clusterIPs: [clusterIP] } }, 'test')).toThrow(
      'spec.clusterIPs[0]: Invalid value: ',
    )
    expect(() => service('c', { clusterIP })).toThrow('provided IP is already allocated')
    const wrong = { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30500 }, { port: 81 }] } }
    expect(() => store.patch(Service, 'default/b', wrong, 'test')).toThrow('spec.ports[0].name: Required value')
    expect(service('d', { type: 'NodePort', ports: [{ port: 80, nodePort: 30500 }] }).spec.ports![0]!.nodePort).toBe(
      30500,
    )
    expect(store.get(Service, 'default/b')).toBe(b)
  })

  test('a headless service has no address; ports need names when there are several', () => {
    const { service } = testStore()
    expect(service('a', { clusterIP: 'None' }).spec.clusterIPs).toEqual(['None'])
    expect(() => service('b', { ports: [{ port: 80 }, { port: 81, name: 'b' }] })).toThrow(
      'Service "b" is invalid: spec.ports[0].name: Required value',
    )
    expect(() => service('c', { ports: [] })).toThrow('Service "c" is invalid: spec.ports: Required value')
  })
})
