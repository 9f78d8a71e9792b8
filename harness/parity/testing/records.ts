import type { JournalRecord } from '../../../sandbox/journal/record.ts'
import { Node, Pod, ReplicaSet } from '../../../sandbox/kube/kinds.ts'
import { seconds } from '../../../sandbox/world/time.ts'
import { readDecisions } from '../read.ts'
import type { Stream } from '../stream.ts'

/** Objects as tests write them. */
export type Loose = Record<string, unknown>

/** A journal written by hand, second by second. */
export class Records {
  readonly list: JournalRecord[] = []
  private readonly seen = new Map<string, string>()
  private version = 1

  /** Begins with manifests being applied at second 0. */
  constructor() {
    this.phase(0, 'apply')
  }

  phase(at: number, phase: string): this {
    this.list.push({ type: 'phase', phase, at: seconds(at) })
    return this
  }

  /** The object comes, or changes by a merge patch. */
  object(at: number, kind: string, key: string, value: Loose): this {
    const verb = this.seen.has(`${kind} ${key}`) ? 'MODIFIED' : 'ADDED'
    this.seen.set(`${kind} ${key}`, key)
    const whole = verb === 'ADDED' ? withNames(kind, key, value) : value
    this.list.push({
      type: 'object',
      verb,
      kind,
      key,
      resourceVersion: this.version++,
      by: 'test',
      value: whole,
      at: seconds(at),
    })
    return this
  }

  gone(at: number, kind: string, key: string): this {
    this.list.push({
      type: 'object',
      verb: 'DELETED',
      kind,
      key,
      resourceVersion: this.version++,
      by: 'test',
      at: seconds(at),
    })
    return this
  }

  /** A node of so many GPUs. */
  node(at: number, name: string, gpus: number, more: Loose = {}): this {
    const labels = {
      'kubernetes.io/hostname': name,
      'nvidia.com/gpu.product': 'NVIDIA-L40S',
      'nvidia.com/gpu.count': `${gpus}`,
    }
    const status = { capacity: { cpu: '8', memory: '64Gi' }, allocatable: { 'nvidia.com/gpu': `${gpus}` } }
    return this.object(at, Node.id, name, { metadata: { labels }, spec: {}, status, ...more })
  }

  /** A ReplicaSet of `Deployment/chat`. */
  replicaSet(at: number, name: string, replicas: number): this {
    const ownerReferences = [{ controller: true, kind: 'Deployment', name: 'chat', uid: 'deployment' }]
    return this.object(at, ReplicaSet.id, `default/${name}`, {
      metadata: { ownerReferences },
      spec: { replicas, template: { spec: { containers: [] } } },
    })
  }

  /** A pod of that ReplicaSet. */
  pod(at: number, name: string, set: string, more: { spec?: Loose; status?: Loose } = {}): this {
    const ownerReferences = [{ controller: true, kind: 'ReplicaSet', name: set, uid: set }]
    return this.object(at, Pod.id, `default/${name}`, {
      metadata: { ownerReferences },
      spec: { containers: [], ...more.spec },
      status: { ...more.status },
    })
  }

  event(at: number, pod: string, reason: string, message: string): this {
    const record = {
      type: 'event',
      by: 'kubelet/a',
      level: 'Normal',
      reason,
      message,
      kind: 'Pod',
      key: `default/${pod}`,
    } as const
    this.list.push({ ...record, at: seconds(at) })
    return this
  }

  /** What a stream makes of it: `12 pod of Deployment/chat@1 → …`. */
  read(stream: Stream): string[] {
    const { decisions } = readDecisions(this.list, [stream])
    return decisions.get(stream.name)!.map(({ at, what }) => `${at / 1e6} ${what}`)
  }
}

function withNames(kind: string, key: string, value: Loose): Loose {
  const [name, namespace] = key.split('/').reverse()
  const kinds: Readonly<Record<string, string>> = {
    nodes: 'Node',
    pods: 'Pod',
    'replicasets.apps': 'ReplicaSet',
    'deployments.apps': 'Deployment',
    'statefulsets.apps': 'StatefulSet',
    'horizontalpodautoscalers.autoscaling': 'HorizontalPodAutoscaler',
    'scaledobjects.keda.sh': 'ScaledObject',
  }
  const metadata = { name, ...(namespace ? { namespace } : {}), uid: name, ...(value['metadata'] as Loose) }
  return { kind: kinds[kind], ...value, metadata }
}
