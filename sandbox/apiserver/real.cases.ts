import { autoscalerSpecs } from './real.autoscaling.ts'

/** Objects a client might send, sound and not: what the simulated server makes of each is held against kube-apiserver. */
export interface Case {
  readonly name: string
  readonly apiVersion: string
  readonly kind: string
  readonly body: { readonly metadata?: object } & Readonly<Record<string, unknown>>
}

export const main = (fields: object = {}) => ({ name: 'main', image: 'app:1', ...fields })
export const one = (fields: object) => ({ containers: [main(fields)] })
const limits = (list: object, requests?: object) => one({ resources: { limits: list, ...(requests && { requests }) } })
const probe = (kind: string, fields: object) => one({ [kind]: { tcpSocket: { port: 80 }, ...fields } })
const twice = (item: object) => [item, item]

const podSpecs: Readonly<Record<string, object>> = {
  plain: one({}),
  latest: one({ image: 'app' }),
  digest: one({ image: 'app@sha256:0123456789012345678901234567890123456789012345678901234567890123' }),
  'registry port': one({ image: 'reg:5000/app' }),
  gpus: limits({ 'nvidia.com/gpu': '8', cpu: '1500m', memory: '1024Mi' }),
  'odd quantities': limits(
    { cpu: '0.5', memory: '1.5Gi', 'ephemeral-storage': '12e6' },
    { cpu: '100m', memory: '1e3' },
  ),
  'half a gpu': limits({ 'nvidia.com/gpu': '500m' }),
  'gpu request only': one({ resources: { requests: { 'nvidia.com/gpu': '1' } } }),
  'gpu request below limit': limits({ 'nvidia.com/gpu': '2' }, { 'nvidia.com/gpu': '1' }),
  'request above limit': limits({ cpu: '1' }, { cpu: '2' }),
  'unknown resource': limits({ gpu: '1' }),
  'negative cpu': limits({ cpu: '-1' }),
  'bad domain': limits({ 'Nvidia_Com/gpu': '1' }),
  'kubernetes.io resource': limits({ 'kubernetes.io/thing': '1' }),
  'hugepages alone': limits({ 'hugepages-2Mi': '2Mi' }),
  'bad quantity': limits({ cpu: 'many' }),
  'no image': { containers: [{ name: 'main' }] },
  'no name': { containers: [{ image: 'a' }] },
  'no containers': { containers: [] },
  'bad name': one({ name: 'Main' }),
  'dotted name': one({ name: 'a.b' }),
  'long name': one({ name: 'a'.repeat(64) }),
  'duplicate names': { containers: twice(main()) },
  'port names': one({ ports: twice({ name: 'http', containerPort: 80 }) }),
  'bad port name': one({ ports: [{ name: 'Very_long_port_name', containerPort: 80 }] }),
  'port zero': one({ ports: [{ containerPort: 0 }] }),
  'port too high': one({ ports: [{ containerPort: 70000 }] }),
  'bad protocol': one({ ports: [{ containerPort: 80, protocol: 'QUIC' }] }),
  'host ports': one({ ports: twice({ containerPort: 80, hostPort: 80 }) }),
  'host network': { ...one({ ports: [{ containerPort: 80 }] }), hostNetwork: true },
  'liveness twice': probe('livenessProbe', { successThreshold: 2 }),
  'startup twice': probe('startupProbe', { successThreshold: 2 }),
  'readiness twice': probe('readinessProbe', { successThreshold: 2 }),
  'readiness grace': probe('readinessProbe', { terminationGracePeriodSeconds: 5 }),
  'liveness grace zero': probe('livenessProbe', { terminationGracePeriodSeconds: 0 }),
  'negative period': probe('livenessProbe', { periodSeconds: -1 }),
  'two handlers': probe('livenessProbe', { httpGet: { port: 80 } }),
  'no handler': one({ livenessProbe: { periodSeconds: 5 } }),
  'http probe': one({ livenessProbe: { httpGet: { port: 'http', httpHeaders: [{ name: 'X-A', value: 'b' }] } } }),
  'http scheme': one({ livenessProbe: { httpGet: { port: 80, scheme: 'FTP' } } }),
  'http no port': one({ livenessProbe: { httpGet: { path: '/' } } }),
  'grpc probe': one({ readinessProbe: { grpc: { port: 80 } } }),
  'exec probe': one({ readinessProbe: { exec: { command: [] } } }),
  'preStop sleep': one({ lifecycle: { preStop: { sleep: { seconds: 5 } } } }),
  'preStop too long': one({ lifecycle: { preStop: { sleep: { seconds: 50 } } } }),
  'preStop http': one({ lifecycle: { preStop: { httpGet: { port: 80 } } } }),
  'restart policy': { ...one({}), restartPolicy: 'Sometimes' },
  'dns policy': { ...one({}), dnsPolicy: 'Mine' },
  'pull policy': one({ imagePullPolicy: 'Perhaps' }),
  'preemption policy': { ...one({}), preemptionPolicy: 'Never' },
  'grace zero': { ...one({}), terminationGracePeriodSeconds: 0 },
  'deadline zero': { ...one({}), activeDeadlineSeconds: 0 },
  'node selector': { ...one({}), nodeSelector: { 'bad key!': 'a' } },
  sidecar: {
    ...one({}),
    initContainers: [main({ name: 's', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 1 } } })],
  },
  'init probe': { ...one({}), initContainers: [main({ name: 's', livenessProbe: { tcpSocket: { port: 1 } } })] },
  'init duplicate': { ...one({}), initContainers: [main()] },
  'init policy': { ...one({}), initContainers: [main({ name: 's', restartPolicy: 'Maybe' })] },
  'env sources': one({
    env: [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'B', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      { name: 'C', valueFrom: {} },
      { value: 'x' },
    ],
  }),
  'env sound': one({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] }),
  volumes: {
    ...one({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    volumes: [
      { name: 'v' },
      { name: 'c', configMap: { name: 'c' } },
      { name: 's', secret: { secretName: 's' } },
      { name: 'h', hostPath: { path: '/h' } },
    ],
  },
  'mount of nothing': one({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
  'mounts in one place': { ...one({ volumeMounts: twice({ name: 'v', mountPath: '/v' }) }), volumes: [{ name: 'v' }] },
  'duplicate volumes': { ...one({}), volumes: twice({ name: 'v', emptyDir: {} }) },
  'two sources': { ...one({}), volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/h' } }] },
  'no claim name': { ...one({}), volumes: [{ name: 'v', persistentVolumeClaim: { claimName: '' } }] },
  toleration: { ...one({}), tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }] },
  'toleration of all': { ...one({}), tolerations: [{ operator: 'Exists' }] },
  'toleration operator': { ...one({}), tolerations: [{ key: 'a', operator: 'Like' }] },
  'toleration no key': { ...one({}), tolerations: [{ operator: 'Equal', value: 'a' }] },
  'toleration seconds': {
    ...one({}),
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }],
  },
  'toleration effect': { ...one({}), tolerations: [{ key: 'a', operator: 'Exists', effect: 'Never' }] },
  'toleration value': { ...one({}), tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
  spread: {
    ...one({}),
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
  },
  'spread wrong': {
    ...one({}),
    topologySpreadConstraints: twice({ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Now' }),
  },
  affinity: {
    ...one({}),
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
        },
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
        ],
      },
    },
  },
  'affinity wrong': {
    ...one({}),
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 0, preference: { matchExpressions: [{ key: 'a', operator: 'Gt' }] } },
        ],
      },
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] },
    },
  },
  'class unknown': { ...one({}), priorityClassName: 'gold' },
  'class of the system': { ...one({}), priorityClassName: 'system-cluster-critical' },
  'priority given': { ...one({}), priority: 5 },
  'account unknown': { ...one({}), serviceAccountName: 'robot' },
  gated: { ...one({}), schedulingGates: [{ name: 'seatrial.dev/wait' }] },
  'gated node': { ...one({}), schedulingGates: [{ name: 'seatrial.dev/wait' }], nodeName: 'n' },
}

const template = (spec: object = one({})) => ({ metadata: { labels: { app: 'web' } }, spec })
export const workload = (fields: object) => ({
  selector: { matchLabels: { app: 'web' } },
  template: template(),
  ...fields,
})
const rolling = (rollingUpdate: object) => workload({ strategy: { rollingUpdate } })

const deploymentSpecs: Readonly<Record<string, object>> = {
  plain: workload({}),
  surge: rolling({ maxSurge: 1 }),
  'nothing moves': rolling({ maxSurge: 0, maxUnavailable: 0 }),
  'nothing moves in percent': rolling({ maxSurge: '0%', maxUnavailable: '0%' }),
  'more than all': rolling({ maxUnavailable: '101%' }),
  'no percentage': rolling({ maxSurge: 'many' }),
  'negative surge': rolling({ maxSurge: -1 }),
  recreate: workload({ strategy: { type: 'Recreate' } }),
  'recreate rolling': workload({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
  'another strategy': workload({ strategy: { type: 'Canary' } }),
  'negative replicas': workload({ replicas: -1 }),
  'other labels': workload({ selector: { matchLabels: { app: 'api' } } }),
  'empty selector': workload({ selector: {} }),
  'no selector': workload({ selector: undefined }),
  'wrong expression': workload({
    selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'In' }] },
  }),
  'short deadline': workload({ progressDeadlineSeconds: 5, minReadySeconds: 10 }),
  'negative history': workload({ revisionHistoryLimit: -1 }),
  'pods that end': workload({ template: template({ ...one({}), restartPolicy: 'OnFailure' }) }),
  'deadline of pods': workload({ template: template({ ...one({}), activeDeadlineSeconds: 5 }) }),
  'limits in the template': workload({ template: template(limits({ 'nvidia.com/gpu': '1', cpu: '1000m' })) }),
  'no containers': workload({ template: template({ containers: [] }) }),
}

export const ports = (...list: object[]) => ({ selector: { app: 'web' }, ports: list })

const serviceSpecs: Readonly<Record<string, object>> = {
  plain: ports({ port: 80 }),
  named: ports({ port: 80, name: 'http', targetPort: 'http' }, { port: 443, name: 'https', targetPort: 8443 }),
  'no names': ports({ port: 80 }, { port: 81 }),
  'same names': ports({ port: 80, name: 'a' }, { port: 81, name: 'a' }),
  'same ports': ports({ port: 80, name: 'a' }, { port: 80, name: 'b' }),
  'no ports': ports(),
  headless: { ...ports({ port: 80 }), clusterIP: 'None' },
  'headless without selector': { clusterIP: 'None' },
  'node port': { ...ports({ port: 80 }), type: 'NodePort' },
  'node port on ClusterIP': ports({ port: 80, nodePort: 30080 }),
  'load balancer': { ...ports({ port: 80 }), type: 'LoadBalancer' },
  'external name': { type: 'ExternalName', externalName: 'example.com' },
  'external name missing': { type: 'ExternalName' },
  'client ip': { ...ports({ port: 80 }), sessionAffinity: 'ClientIP' },
  affinity: { ...ports({ port: 80 }), sessionAffinity: 'Sticky' },
  type: { ...ports({ port: 80 }), type: 'Mesh' },
  'target port': ports({ port: 80, targetPort: 'Bad_Name' }),
  'port zero': ports({ port: 0 }),
}

const named = (kind: string, apiVersion: string, specs: Readonly<Record<string, object>>): Case[] =>
  Object.entries(specs).map(([name, spec]) => ({ name: `${kind}: ${name}`, apiVersion, kind, body: { spec } }))

const metadata: Readonly<Record<string, object>> = {
  'upper-case name': { name: 'Web' },
  'no name': { name: undefined },
  'bad label key': { labels: { 'a b': 'c' } },
  'bad label value': { labels: { d: 'e f' } },
  'bad annotation': { annotations: { 'a b': 'c' } },
  'bad finalizer': { finalizers: ['a b'] },
  'owner without uid': { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '' }] },
}

export const cases: readonly Case[] = [
  ...named('Pod', 'v1', podSpecs),
  ...named('Deployment', 'apps/v1', deploymentSpecs),
  ...named('Service', 'v1', serviceSpecs),
  ...named('HorizontalPodAutoscaler', 'autoscaling/v2', autoscalerSpecs),
  ...Object.entries(metadata).map(([name, meta]) => ({
    name: `Pod: ${name}`,
    apiVersion: 'v1',
    kind: 'Pod',
    body: { metadata: meta, spec: one({}) },
  })),
]
