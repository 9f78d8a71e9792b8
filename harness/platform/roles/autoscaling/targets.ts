import { type Kind, kindOf } from '../../../../sandbox/kube/kinds.ts'
import type { Kube } from '../../../../sandbox/kube/kube.ts'
import type { EndpointSlice, KubeObject, Pod } from '../../../../sandbox/kube/objects.ts'
import { selects } from '../../../../sandbox/kube/selects.ts'
import { fileSource, operatorSource } from '../../../../sandbox/metrics/scrape/config-source.ts'
import { discover } from '../../../../sandbox/metrics/scrape/discovery.ts'
import type { ScrapeConfig, Unmodelled } from '../../../../sandbox/metrics/scrape/scrape-config.ts'
import { type Target, targetOf } from '../../../../sandbox/metrics/scrape/target.ts'
import type { MonitoringPrometheus } from '../../../../sandbox/tiers/monitoring-options.ts'
import { valueAt } from '../../path.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../../platform.ts'
import type { InferenceServerRole } from '../inference-servers.ts'
import { isMap, type PodTemplate, podTemplatesOf, type WrittenContainer } from '../pod-templates.ts'

/** What a Prometheus would scrape once each pod template has a running, ready pod. */
export interface FoundTargets {
  readonly targets: readonly Target[]
  readonly configs: readonly ScrapeConfig[]
  readonly unmodelled: readonly Unmodelled[]
}

export function targetsOf(platform: Platform, { source, jobs }: MonitoringPrometheus): FoundTargets {
  const kube = frozenKube(platform)
  const read =
    source.kind === 'file'
      ? fileSource(kube, source.configMap, source.dataKey).read()
      : operatorSource(kube, 'object' in source ? source.object : undefined).read()
  const configs = [...read.configs, ...jobs]
  const targets = configs.flatMap((config) =>
    config.discoveries.flatMap((discovery) =>
      discover(discovery, kube).flatMap((group) => group.build().flatMap((labels) => targetOf(labels, config) ?? [])),
    ),
  )
  return { targets, configs, unmodelled: read.unmodelled }
}

/** Of those, the ones that are a server's pod at its port and `/metrics`. */
export const targetsAt = (
  { targets }: FoundTargets,
  server: Pick<InferenceServerRole<unknown>, 'object'>,
  port: number,
): Target[] => {
  const key = podKeyOf(server.object)
  return targets.filter(
    ({ podKey, address, path }) => podKey === key && address.endsWith(`:${port}`) && /^\/metrics\/?(\?|$)/.test(path),
  )
}

const podKeyOf = (object: PlatformObject): string => `${namespaceOf(object)}/${object.id}`

/** The manifests as a client would list them, with one pod for each pod template and the slices of Services. */
function frozenKube(platform: Platform): Kube {
  const byKind = new Map<string, KubeObject[]>()
  const add = (object: KubeObject) => {
    const { id } = kindOf(object)
    byKind.set(id, [...(byKind.get(id) ?? []), object])
  }
  const pods = platform.objects.flatMap((object, i) =>
    podTemplatesOf(object).map((template) => podOf(object, template, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)),
  )
  for (const object of platform.objects) {
    const { manifest } = object
    if (manifest.kind === 'Pod') continue
    add({ ...manifest, metadata: { ...manifest.metadata, namespace: namespaceOf(object) } } as unknown as KubeObject)
    if (manifest.kind === 'Service' && isMap(manifest['spec'])) add(sliceOf(object, pods) as unknown as KubeObject)
  }
  for (const pod of pods) add(pod as unknown as KubeObject)
  const all = <T extends KubeObject>(kind: Kind<T>) => (byKind.get(kind.id) ?? []) as unknown as readonly T[]
  const keyOf = ({ metadata }: KubeObject) =>
    metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
  const kube: Pick<Kube, 'get' | 'list' | 'indexed'> = {
    get: (kind, key) => all(kind).find((object) => keyOf(object) === key),
    list: (kind, filter = {}) =>
      all(kind).filter(
        ({ metadata }) =>
          (filter.namespace === undefined || metadata.namespace === filter.namespace) &&
          (filter.selector === undefined || selects(filter.selector, metadata.labels)),
      ),
    indexed: (index, value) => all(index.kind).filter((object) => index.values(object).includes(value)),
  }
  return kube as Kube
}

function podOf(object: PlatformObject, { labels, annotations, spec }: PodTemplate, podIP: string): Pod {
  const namespace = namespaceOf(object)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: object.id, namespace, labels, annotations, uid: object.id },
    spec: { ...spec, nodeName: 'node' },
    status: { phase: 'Running', podIP, hostIP: '10.255.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
  } as unknown as Pod
}

interface WrittenPort {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly protocol?: string
}

function sliceOf(service: PlatformObject, pods: readonly Pod[]): EndpointSlice {
  const namespace = namespaceOf(service)
  const { name, labels } = service.manifest.metadata
  const selector = valueAt(service.manifest, 'spec.selector')
  const chosen = pods.filter(
    ({ metadata }) =>
      metadata.namespace === namespace &&
      isMap(selector) &&
      Object.keys(selector).length > 0 &&
      Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value),
  )
  const written = valueAt(service.manifest, 'spec.ports')
  const ports = (Array.isArray(written) ? written : []) as readonly WrittenPort[]
  const containers = chosen.flatMap(({ spec }) => spec.containers as readonly WrittenContainer[])
  const named = (port: string) => containers.flatMap((c) => c.ports ?? []).find((p) => p.name === port)?.containerPort
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { ...labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: chosen.map(({ metadata, status }) => ({
      addresses: [status.podIP],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace, name: metadata.name },
    })),
    ports: ports.flatMap(({ name: portName, port, targetPort, protocol }) => {
      const number = typeof targetPort === 'string' ? named(targetPort) : (targetPort ?? port)
      return number === undefined ? [] : [{ name: portName ?? '', port: number, protocol: protocol ?? 'TCP' }]
    }),
  } as unknown as EndpointSlice
}
