import { setTimeout as wait } from 'node:timers/promises'
import { EndpointSlice, Namespace, Node, Pod, ReplicaSet, Service } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { collectionPath, objectPath } from '../../../sandbox/kube/remote/paths.ts'
import type { RemoteKube } from '../../../sandbox/kube/remote/remote-kube.ts'
import type { Rest, RestRequest } from '../../../sandbox/kube/remote/rest.ts'
import { podNamed } from './probe.ts'

export const REPLICAS = 200

/** Seconds from the request that scales 0 → REPLICAS, and milliseconds from a pod's Ready to its endpoint. */
export interface ScaleUp {
  created: number
  /** Status says REPLICAS. */
  observed: number
  bound: number
  endpointMs: number[]
}

export class Bench {
  readonly rest: Rest
  readonly kube: RemoteKube
  constructor(rest: Rest, kube: RemoteKube) {
    this.rest = rest
    this.kube = kube
  }

  send(method: RestRequest['method'], path: string, body?: unknown): Promise<unknown> {
    return this.rest.send({ method, path, body, process: 'bench' })
  }

  async namespace(name: string): Promise<string> {
    await this.send('POST', collectionPath(Namespace), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    return name
  }

  /** Nodes that are Ready and have room; no kubelet stands behind them. */
  async nodes(count: number): Promise<void> {
    const resources = { cpu: '96', memory: '1Ti', pods: '110' }
    for (let i = 0; i < count; i++) {
      const metadata = { name: `bench-${i}` }
      await this.send('POST', collectionPath(Node), { apiVersion: 'v1', kind: 'Node', metadata })
      const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' }
      const status = { capacity: resources, allocatable: resources, conditions: [ready] }
      await this.send('PATCH', objectPath(Node, metadata.name, 'status'), { status })
      // admission taints new nodes until the node lifecycle controller, which is off here, finds them ready
      await this.send('PATCH', objectPath(Node, metadata.name), { spec: { taints: null } })
    }
  }

  /** One scale-up in a namespace of its own, then `endpoints` pods made Ready one after the other. */
  async scaleUp(namespace: string, options: { scheduled: boolean; endpoints: number }): Promise<ScaleUp> {
    await this.namespace(namespace)
    // the service account controller makes it; pods are refused until then
    await this.eventually(() => this.accountExists(namespace))
    const { containers } = podNamed(namespace, 'web').spec
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
    const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template }
    const metadata = { name: 'web', namespace }
    await this.send('POST', collectionPath(ReplicaSet, namespace), {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata,
      spec,
    })
    const ports = [{ port: 80, targetPort: 8000 }]
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports } }
    await this.send('POST', collectionPath(Service, namespace), service)
    // the controllers' token buckets fill up again
    await wait(6000)
    const pods = () => this.kube.list(Pod, { namespace })
    const from = performance.now()
    const since = async (condition: () => boolean) => {
      await this.eventually(condition, 2)
      return (performance.now() - from) / 1000
    }
    await this.send('PATCH', objectPath(ReplicaSet, `${namespace}/web`), { spec: { replicas: REPLICAS } })
    const [created, observed, bound] = await Promise.all([
      since(() => pods().length === REPLICAS),
      since(() => this.kube.get(ReplicaSet, `${namespace}/web`)?.status.replicas === REPLICAS),
      options.scheduled ? since(() => pods().length === REPLICAS && pods().every((p) => p.spec.nodeName)) : Number.NaN,
    ])
    const endpointMs = await this.endpoints(namespace, pods().slice(0, options.endpoints))
    await this.send('DELETE', objectPath(ReplicaSet, `${namespace}/web`), { propagationPolicy: 'Orphan' })
    await this.send('DELETE', objectPath(Service, `${namespace}/web`))
    await this.send('DELETE', collectionPath(Pod, namespace), { gracePeriodSeconds: 0 })
    return { created, observed, bound, endpointMs }
  }

  private async endpoints(namespace: string, pods: readonly o.Pod[]): Promise<number[]> {
    const delays: number[] = []
    for (const [i, pod] of pods.entries()) {
      const podIP = `10.1.${i >> 8}.${i & 255}`
      const conditions = [{ type: 'Ready', status: 'True' }]
      const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions }
      const from = performance.now()
      await this.send('PATCH', objectPath(Pod, `${namespace}/${pod.metadata.name}`, 'status'), { status })
      const middle = (from + performance.now()) / 2
      const has = (slice: o.EndpointSlice) =>
        (slice.endpoints ?? []).some((e) => e.conditions.ready && e.addresses.includes(podIP))
      await this.eventually(() => this.kube.list(EndpointSlice, { namespace }).some(has), 1)
      delays.push(performance.now() - middle)
      await wait(150)
    }
    return delays
  }

  private async accountExists(namespace: string): Promise<boolean> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
    return this.send('GET', path).then(
      () => true,
      () => false,
    )
  }

  private async eventually(condition: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
    const deadline = performance.now() + 120_000
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`not within two minutes: ${condition}`)
      await wait(everyMs)
    }
  }
}
