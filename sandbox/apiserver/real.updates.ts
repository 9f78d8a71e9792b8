import { type Case, main, one, ports, workload } from './real.cases.ts'

/** A change of an object that is there, as a JSON merge patch. */
export interface UpdateCase extends Case {
  readonly patch: object
  readonly subresource?: 'status'
}

const changes = (
  kind: string,
  apiVersion: string,
  spec: object,
  patches: Readonly<Record<string, object>>,
  subresource?: 'status',
): UpdateCase[] =>
  Object.entries(patches).map(([name, patch]) => ({
    name: `${kind}${subresource ? '/status' : ''}: ${name}`,
    apiVersion,
    kind,
    body: { spec },
    patch,
    subresource,
  }))

export const updateCases: readonly UpdateCase[] = [
  ...changes(
    'Pod',
    'v1',
    { ...one({}), nodeName: 'n1' },
    {
      nothing: {},
      label: { metadata: { labels: { a: 'b' } } },
      image: { spec: { containers: [main({ image: 'app:2' })] } },
      'no image': { spec: { containers: [main({ image: '' })] } },
      'more containers': { spec: { containers: [main(), main({ name: 'b' })] } },
      deadline: { spec: { activeDeadlineSeconds: 10 } },
      'node selector': { spec: { nodeSelector: { a: 'b' } } },
      'grace period': { spec: { terminationGracePeriodSeconds: 5 } },
      tolerations: { spec: { tolerations: [] } },
      name: { metadata: { name: 'other' } },
      finalizer: { metadata: { finalizers: ['hold'] } },
      'another version': { metadata: { resourceVersion: '1' } },
      'another uid': { metadata: { uid: 'other' } },
      'status is ignored': { status: { phase: 'Running' } },
    },
  ),
  ...changes(
    'Pod',
    'v1',
    { ...one({}), restartPolicy: 'Never' },
    {
      phase: { status: { phase: 'Running' }, spec: { nodeName: 'n9' } },
      qos: { status: { qosClass: 'Guaranteed' } },
      'qos left out': { status: { qosClass: null } },
      nominated: { status: { nominatedNodeName: 'Bad Name' } },
    },
    'status',
  ),
  ...changes('Deployment', 'apps/v1', workload({}), {
    nothing: {},
    replicas: { spec: { replicas: 3 } },
    annotation: { metadata: { annotations: { a: 'b' } } },
    label: { metadata: { labels: { a: 'b' } } },
    selector: { spec: { selector: { matchLabels: { b: 'c' } }, template: { metadata: { labels: { b: 'c' } } } } },
    'selector back to nothing': { spec: { selector: null } },
    recreate: { spec: { strategy: { type: 'Recreate' } } },
    'recreate alone': { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
    'defaults again': { spec: { progressDeadlineSeconds: null, replicas: null } },
    image: { spec: { template: { spec: { containers: [main({ image: 'app' })] } } } },
  }),
  ...changes(
    'Deployment',
    'apps/v1',
    workload({}),
    {
      counts: { status: { replicas: 2, readyReplicas: 1 }, spec: { replicas: 9 } },
      'more ready than there': { status: { replicas: 1, readyReplicas: 2 } },
      'label and annotation': { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } }, status: { replicas: 1 } },
    },
    'status',
  ),
  ...changes('Service', 'v1', ports({ port: 80 }), {
    nothing: {},
    'node port': { spec: { type: 'NodePort' } },
    'another address': { spec: { clusterIP: '10.0.0.200', clusterIPs: ['10.0.0.200'] } },
    'no address': { spec: { clusterIP: null, clusterIPs: null } },
    headless: { spec: { clusterIP: 'None', clusterIPs: ['None'] } },
    'external name': { spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null } },
    port: { spec: { ports: [{ port: 81 }] } },
  }),
  ...changes(
    'Service',
    'v1',
    { ...ports({ port: 80 }), type: 'NodePort' },
    {
      'cluster ip': { spec: { type: 'ClusterIP' } },
      'load balancer': { spec: { type: 'LoadBalancer' } },
      'node port left out': { spec: { ports: [{ port: 80 }] } },
    },
  ),
]
