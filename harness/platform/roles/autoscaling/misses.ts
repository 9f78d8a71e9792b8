import type { LabelSelector } from '../../../../sandbox/kube/objects.ts'
import { selects } from '../../../../sandbox/kube/selects.ts'
import type { MonitoringPrometheus } from '../../../../sandbox/tiers/monitoring-options.ts'
import { valueAt } from '../../path.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject } from '../../platform.ts'
import type { InferenceServerRole } from '../inference-servers.ts'
import { isMap } from '../pod-templates.ts'

/** A monitor or rule that is meant for something and does not get there: where it is wrong, and the change that mends it. */
export interface Miss {
  readonly object: PlatformObject
  readonly path: string
  readonly says: string
  /** How the field would be right, in words and as a value; undefined where nobody can tell. */
  readonly mend?: { readonly says: string; readonly value: unknown }
}

type Server = Pick<InferenceServerRole<unknown>, 'object' | 'template' | 'services' | 'container'>
type Source = MonitoringPrometheus['source']

/** Why no ServiceMonitor or PodMonitor of the platform leads a Prometheus to a server it is plainly meant for. */
export function missedBy(platform: Platform, server: Server, source: Source): Miss | undefined {
  const prometheus = prometheusOf(platform, source)
  for (const monitor of platform.objects.filter((one) => isOf(one, 'ServiceMonitor') || isOf(one, 'PodMonitor'))) {
    const ofPods = isOf(monitor, 'PodMonitor')
    const aim = ofPods ? podAim(monitor, server) : serviceAim(monitor, server, platform)
    if (aim === undefined) continue
    const miss = (prometheus && notTaken(monitor, prometheus)) ?? aim.miss
    if (miss) return miss
  }
  return undefined
}

/** Why a Prometheus has no rule of a PrometheusRule that records a name. */
export function ruleMissed(platform: Platform, record: string, source: Source): Miss | undefined {
  const prometheus = prometheusOf(platform, source)
  const rule = platform.objects.find((one) => isOf(one, 'PrometheusRule') && recordsOf(one).includes(record))
  return prometheus && rule && notTaken(rule, prometheus)
}

const isOf = ({ manifest }: PlatformObject, kind: string): boolean =>
  manifest.kind === kind && groupOf(manifest.apiVersion) === 'monitoring.coreos.com'

/** The Prometheus object among the manifests; undefined: one that is installed elsewhere takes everything. */
function prometheusOf({ objects }: Platform, source: Source): PlatformObject | undefined {
  if (!('object' in source) || !source.object) return undefined
  const { name, namespace } = source.object.metadata
  return objects.find(
    (one) => isOf(one, 'Prometheus') && one.manifest.metadata.name === name && namespaceOf(one) === namespace,
  )
}

const recordsOf = ({ manifest }: PlatformObject): string[] => {
  const groups = valueAt(manifest, 'spec.groups')
  return (Array.isArray(groups) ? groups : []).flatMap((group: { rules?: { record?: string }[] }) =>
    (group.rules ?? []).flatMap(({ record }) => record ?? []),
  )
}

/** By which field of a Prometheus objects of a kind are selected. */
const FIELD: Readonly<Record<string, string>> = {
  ServiceMonitor: 'serviceMonitor',
  PodMonitor: 'podMonitor',
  PrometheusRule: 'rule',
}

/** A selector that is not there selects no object; one of namespaces that is not there, the Prometheus' own namespace. */
function notTaken(object: PlatformObject, prometheus: PlatformObject): Miss | undefined {
  const { kind, metadata } = object.manifest
  const name = prometheus.manifest.metadata.name
  const field = FIELD[kind]!
  const at = `spec.${field}Selector`
  const selector = valueAt(prometheus.manifest, at) as LabelSelector | undefined
  if (selector === undefined)
    return {
      object: prometheus,
      path: at,
      says: `Prometheus ${name} takes no ${kind}: it has no ${field}Selector`,
      mend: { says: `${field}Selector: {}`, value: {} },
    }
  if (!selects(selector, metadata.labels)) {
    const value = { ...metadata.labels, ...selector.matchLabels }
    return {
      object,
      path: 'metadata.labels',
      says: `Prometheus ${name} does not take it: its ${field}Selector asks for ${labelsText(selector)}`,
      mend: { says: `labels: ${JSON.stringify(value)}`, value },
    }
  }
  const namespaces = valueAt(prometheus.manifest, `spec.${field}NamespaceSelector`)
  if (namespaces !== undefined || namespaceOf(object) === namespaceOf(prometheus)) return undefined
  return {
    object: prometheus,
    path: `spec.${field}NamespaceSelector`,
    says: `without ${field}NamespaceSelector Prometheus ${name} looks in its own namespace ${namespaceOf(prometheus)} alone, and ${object.id} is in ${namespaceOf(object)}`,
    mend: { says: `${field}NamespaceSelector: {}`, value: {} },
  }
}

const labelsText = ({ matchLabels, matchExpressions }: LabelSelector): string =>
  [
    ...Object.entries(matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(matchExpressions ?? []).map(({ key, operator }) => `${key} ${operator}`),
  ].join(', ')

/** What is wrong with a monitor that means the server; undefined where it means another. */
type Aim = { readonly miss: Miss | undefined } | undefined

function serviceAim(monitor: PlatformObject, { services, template }: Server, platform: Platform): Aim {
  const selector = (valueAt(monitor.manifest, 'spec.selector') ?? {}) as LabelSelector
  const service = services.find(({ manifest }) => selects(selector, manifest.metadata.labels))
  if (!service) return unlabelled(monitor, selector, services[0], template.labels)
  const elsewhere = elsewhereOf(monitor, service)
  if (elsewhere) return findsOthers(monitor, selector, platform) ? undefined : { miss: elsewhere }
  const ports = (valueAt(service.manifest, 'spec.ports') ?? []) as { name?: string; targetPort?: number | string }[]
  const endpoints = endpointsOf(monitor, 'spec.endpoints')
  const known = (endpoint: Endpoint) =>
    ports.some(({ name, targetPort }) => (endpoint.port ? name === endpoint.port : endpoint.targetPort === targetPort))
  if (endpoints.length === 0 || endpoints.some(known)) return { miss: undefined }
  const value = ports[0]?.name
  return {
    miss: {
      object: monitor,
      path: 'spec.endpoints[0].port',
      says: `it asks on port ${endpoints[0]!.port ?? endpoints[0]!.targetPort}, and no port of ${service.id} has that name${value ? ` (there is ${ports.map(({ name }) => name).join(', ')})` : ''}`,
      ...(value ? { mend: { says: `port: ${value}`, value } } : {}),
    },
  }
}

/** It has Services of its own where it looks, and means those. */
const findsOthers = (monitor: PlatformObject, selector: LabelSelector, { objects }: Platform): boolean =>
  objects.some(
    (one) =>
      one.manifest.kind === 'Service' &&
      selects(selector, one.manifest.metadata.labels) &&
      elsewhereOf(monitor, one) === undefined,
  )

/** The labels it selects are those of the pods, and the Service has them not: monitors look at the labels of Services. */
function unlabelled(
  monitor: PlatformObject,
  selector: LabelSelector,
  service: PlatformObject | undefined,
  pods: Readonly<Record<string, string>>,
): Aim {
  if (!service || Object.keys(selector.matchLabels ?? {}).length === 0 || !selects(selector, pods)) return undefined
  const value = { ...service.manifest.metadata.labels, ...selector.matchLabels }
  return {
    miss: {
      object: service,
      path: 'metadata.labels',
      says: `${monitor.id} selects Services labelled ${labelsText(selector)}, and ${service.id} has no such label; only its pods have`,
      mend: { says: `labels: ${JSON.stringify(value)}`, value },
    },
  }
}

function podAim(monitor: PlatformObject, { object, template, container }: Server): Aim {
  const selector = (valueAt(monitor.manifest, 'spec.selector') ?? {}) as LabelSelector
  if (!selects(selector, template.labels)) return undefined
  const elsewhere = elsewhereOf(monitor, object)
  if (elsewhere) return { miss: elsewhere }
  const names = (container.ports ?? []).flatMap(({ name }) => name ?? [])
  const [endpoint, ...more] = endpointsOf(monitor, 'spec.podMetricsEndpoints')
  if (!endpoint?.port || more.length > 0 || names.includes(endpoint.port)) return { miss: undefined }
  return {
    miss: {
      object: monitor,
      path: 'spec.podMetricsEndpoints[0].port',
      says: `it asks on port ${endpoint.port}, and container ${container.name} has no port of that name${names.length > 0 ? ` (there is ${names.join(', ')})` : ''}`,
      ...(names[0] ? { mend: { says: `port: ${names[0]}`, value: names[0] } } : {}),
    },
  }
}

/** A monitor looks in its own namespace where it names no others. */
function elsewhereOf(monitor: PlatformObject, meant: PlatformObject): Miss | undefined {
  const wanted = namespaceOf(meant)
  const given = (valueAt(monitor.manifest, 'spec.namespaceSelector') ?? {}) as { any?: boolean; matchNames?: string[] }
  const looked = given.matchNames?.length ? given.matchNames : [namespaceOf(monitor)]
  if (given.any || looked.includes(wanted)) return undefined
  const value = { matchNames: [...(given.matchNames ?? []), wanted] }
  return {
    object: monitor,
    path: 'spec.namespaceSelector',
    says: `it looks in namespace ${looked.join(', ')}, and what it selects is in ${wanted}`,
    mend: { says: `namespaceSelector: ${JSON.stringify(value)}`, value },
  }
}

interface Endpoint {
  readonly port?: string
  readonly targetPort?: number | string
}

const endpointsOf = ({ manifest }: PlatformObject, path: string): Endpoint[] => {
  const found = valueAt(manifest, path)
  return Array.isArray(found) ? found.filter(isMap) : []
}
