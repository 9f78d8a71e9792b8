import type { Node, OwnerReference, Pod, PodSpec, ReplicaSet } from '../kube/objects.ts'

/** Nodes and pods for tests and benchmarks, as the API server would hold them. */
export interface NodeOptions {
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly gpus?: number
  readonly zone?: string
  readonly labels?: Record<string, string>
  readonly taints?: Node['spec']['taints']
  readonly unschedulable?: boolean
  readonly allocatable?: Record<string, string>
  readonly images?: Node['status']['images']
}

export function node(name: string, options: NodeOptions = {}): Node {
  const { cpu = '64', memory = '512Gi', pods = '110', gpus, zone, labels, taints, unschedulable, images } = options
  const allocatable = { cpu, memory, pods, ...(gpus && { 'nvidia.com/gpu': String(gpus) }), ...options.allocatable }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'kubernetes.io/hostname': name, ...(zone && { 'topology.kubernetes.io/zone': zone }), ...labels },
    },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { capacity: allocatable, allocatable, ...(images && { images }) },
  }
}

export interface PodOptions {
  readonly namespace?: string
  readonly cpu?: string
  readonly memory?: string
  readonly gpus?: number
  readonly requests?: Record<string, string>
  readonly node?: string
  readonly priority?: number
  readonly labels?: Record<string, string>
  readonly spec?: Partial<PodSpec>
  readonly status?: Partial<Pod['status']>
  readonly ownerReferences?: OwnerReference[]
}

export function pod(name: string, options: PodOptions = {}): Pod {
  const { namespace = 'default', cpu, memory, gpus, labels = { app: 'vllm' }, priority = 0, ownerReferences } = options
  const requests = {
    ...(cpu && { cpu }),
    ...(memory && { memory }),
    ...(gpus && { 'nvidia.com/gpu': String(gpus) }),
    ...options.requests,
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
      ...(ownerReferences && { ownerReferences }),
    },
    spec: {
      schedulerName: 'default-scheduler',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      priority,
      containers: [container('main', requests)],
      ...(options.node && { nodeName: options.node }),
      ...options.spec,
    },
    status: { phase: 'Pending', ...options.status },
  }
}

export const container = (name: string, requests: Record<string, string> = {}): PodSpec['containers'][number] => ({
  name,
  image: 'vllm/vllm-openai:v0.32.0',
  imagePullPolicy: 'IfNotPresent',
  // what cannot be overcommitted needs a limit
  resources: { requests, limits: Object.fromEntries(Object.entries(requests).filter(([name]) => name.includes('/'))) },
})

export function replicaSet(name: string, labels: Record<string, string> = { app: 'vllm' }): ReplicaSet {
  const { spec } = pod('template')
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    status: { replicas: 0 },
  }
}

export const owner = ({ apiVersion, kind, metadata: { name, uid } }: ReplicaSet): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
})
