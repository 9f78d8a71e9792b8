import type { IntOrString, LabelSelector, OtherObject } from '../../kube/objects.ts'
import type { Us } from '../../world/time.ts'
import { parsePrometheusDuration } from './duration.ts'
import { sanitize } from './meta-labels.ts'
import { type RelabelInput, relabelRule } from './relabel.ts'
import { DEFAULTS, type Role, type ScrapeConfig } from './scrape-config.ts'

/** A ServiceMonitor or PodMonitor of monitoring.coreos.com/v1, as far as it is read. */
export interface Monitor extends OtherObject {
  kind: 'ServiceMonitor' | 'PodMonitor'
  spec: {
    readonly jobLabel?: string
    readonly targetLabels?: readonly string[]
    readonly podTargetLabels?: readonly string[]
    readonly selector: LabelSelector
    readonly namespaceSelector?: { readonly any?: boolean; readonly matchNames?: readonly string[] }
    readonly sampleLimit?: number
    readonly endpoints?: readonly MonitorEndpoint[]
    readonly podMetricsEndpoints?: readonly MonitorEndpoint[]
  }
}

export interface MonitorEndpoint {
  readonly port?: string
  readonly portNumber?: number
  readonly targetPort?: IntOrString
  readonly path?: string
  readonly scheme?: string
  readonly params?: Readonly<Record<string, readonly string[]>>
  readonly interval?: string
  readonly scrapeTimeout?: string
  readonly honorLabels?: boolean
  readonly honorTimestamps?: boolean
  readonly trackTimestampsStaleness?: boolean
  readonly filterRunning?: boolean
  readonly relabelings?: readonly MonitorRelabeling[]
  readonly metricRelabelings?: readonly MonitorRelabeling[]
}

/** A relabelling rule as prometheus-operator's objects write it. */
export interface MonitorRelabeling {
  readonly action?: string
  readonly sourceLabels?: readonly string[]
  readonly separator?: string
  readonly targetLabel?: string
  readonly regex?: string
  readonly modulus?: number
  readonly replacement?: string
}

/** What a Prometheus object says for all its monitors. */
export interface MonitorDefaults {
  readonly intervalUs: Us
  readonly timeoutUs: Us | undefined
  readonly podTargetLabels: readonly string[]
  /** `serviceDiscoveryRole`; Endpoints unless it says EndpointSlice. */
  readonly endpointsRole: Extract<Role, 'endpoints' | 'endpointslice'>
}

/**
 * The scrape jobs prometheus-operator makes of a monitor, one for each endpoint. Throws a RelabelError, RegexpError or
 * RangeError for what the operator rejects; it then leaves the whole monitor out.
 */
// follows generateServiceMonitorConfig and generatePodMonitorConfig of prometheus-operator's pkg/prometheus/promcfg.go
export function monitorConfigs(monitor: Monitor, defaults: MonitorDefaults): ScrapeConfig[] {
  const ofPods = monitor.kind === 'PodMonitor'
  const endpoints = (ofPods ? monitor.spec.podMetricsEndpoints : monitor.spec.endpoints) ?? []
  return endpoints.map((endpoint, i) => configOf(monitor, endpoint, i, defaults))
}

function configOf(monitor: Monitor, endpoint: MonitorEndpoint, i: number, defaults: MonitorDefaults): ScrapeConfig {
  const { metadata, spec, kind } = monitor
  const ofPods = kind === 'PodMonitor'
  const intervalUs = durationOf(endpoint.interval) ?? defaults.intervalUs
  const timeout = durationOf(endpoint.scrapeTimeout) ?? defaults.timeoutUs
  if (endpoint.scrapeTimeout !== undefined && timeout! > intervalUs)
    throw new RangeError(`scrapeTimeout "${endpoint.scrapeTimeout}" greater than scrapeInterval`)
  const rules = ofPods ? podRules(monitor, endpoint, defaults) : serviceRules(monitor, endpoint, defaults)
  return {
    jobName: `${ofPods ? 'podMonitor' : 'serviceMonitor'}/${metadata.namespace}/${metadata.name}/${i}`,
    discoveries: [
      { kind: 'kubernetes', role: ofPods ? 'pod' : defaults.endpointsRole, namespaces: namespacesOf(monitor) },
    ],
    intervalUs,
    timeoutUs: Math.min(timeout ?? DEFAULTS.timeoutUs, intervalUs),
    metricsPath: endpoint.path || DEFAULTS.metricsPath,
    scheme: endpoint.scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    params: endpoint.params ?? {},
    honorLabels: endpoint.honorLabels === true,
    honorTimestamps: endpoint.honorTimestamps !== false,
    trackTimestampsStaleness: endpoint.trackTimestampsStaleness === true,
    relabel: [...rules, ...(endpoint.relabelings ?? []).map(inputOf)].map(relabelRule),
    metricRelabel: (endpoint.metricRelabelings ?? []).map(inputOf).map(relabelRule),
    sampleLimit: spec.sampleLimit ?? 0,
  }
}

const META = '__meta_kubernetes_'
const KEEP_JOB: RelabelInput = { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' }
const NOT_RUNNING: RelabelInput = {
  action: 'drop',
  source_labels: [`${META}pod_phase`],
  regex: '(Failed|Succeeded)',
}

const copy = (source: string, target: string): RelabelInput => ({ source_labels: [source], target_label: target })
const copySet = (source: string, target: string): RelabelInput => ({ ...copy(source, target), regex: '(.+)' })
const keep = (source: string, regex: string): RelabelInput => ({ action: 'keep', source_labels: [source], regex })

function serviceRules(monitor: Monitor, endpoint: MonitorEndpoint, defaults: MonitorDefaults): RelabelInput[] {
  const { spec } = monitor
  const { port, targetPort } = endpoint
  const flavour = defaults.endpointsRole
  const target = [
    `${META}${flavour === 'endpoints' ? 'endpoint' : flavour}_address_target_kind`,
    `${META}${flavour === 'endpoints' ? 'endpoint' : flavour}_address_target_name`,
  ]
  const portName = `${META}${flavour === 'endpoints' ? 'endpoint' : flavour}_port_name`
  const label = (name: string) => `${META}service_label_${sanitize(name)}`
  return [
    KEEP_JOB,
    ...selectorRules(spec.selector, 'service'),
    ...(port ? [keep(portName, port)] : portRules(targetPort)),
    { source_labels: target, regex: 'Node;(.*)', target_label: 'node' },
    { source_labels: target, regex: 'Pod;(.*)', target_label: 'pod' },
    copy(`${META}namespace`, 'namespace'),
    copy(`${META}service_name`, 'service'),
    copy(`${META}pod_name`, 'pod'),
    copy(`${META}pod_container_name`, 'container'),
    ...(endpoint.filterRunning === false ? [] : [NOT_RUNNING]),
    ...(spec.targetLabels ?? []).map((l) => copySet(label(l), sanitize(l))),
    ...podTargetLabels(spec.podTargetLabels, defaults),
    copy(`${META}service_name`, 'job'),
    ...(spec.jobLabel ? [copySet(label(spec.jobLabel), 'job')] : []),
    ...endpointLabel(port || targetPort),
  ]
}

function podRules(monitor: Monitor, endpoint: MonitorEndpoint, defaults: MonitorDefaults): RelabelInput[] {
  const { spec, metadata } = monitor
  const { port, portNumber, targetPort } = endpoint
  return [
    KEEP_JOB,
    ...(endpoint.filterRunning === false ? [] : [NOT_RUNNING]),
    ...selectorRules(spec.selector, 'pod'),
    ...portRules(port || portNumber || targetPort),
    copy(`${META}namespace`, 'namespace'),
    copy(`${META}pod_container_name`, 'container'),
    copy(`${META}pod_name`, 'pod'),
    ...podTargetLabels(spec.podTargetLabels, defaults),
    { target_label: 'job', replacement: `${metadata.namespace}/${metadata.name}` },
    ...(spec.jobLabel ? [copySet(`${META}pod_label_${sanitize(spec.jobLabel)}`, 'job')] : []),
    ...endpointLabel(port || targetPort),
  ]
}

/** By a container port's name or number. */
function portRules(port: IntOrString | undefined): RelabelInput[] {
  if (port === undefined || port === 0 || port === '') return []
  const by = typeof port === 'number' ? 'number' : 'name'
  return [keep(`${META}pod_container_port_${by}`, String(port))]
}

const endpointLabel = (port: IntOrString | undefined): RelabelInput[] =>
  port ? [{ target_label: 'endpoint', replacement: String(port) }] : []

const podTargetLabels = (own: readonly string[] | undefined, { podTargetLabels: all }: MonitorDefaults) =>
  [...(own ?? []), ...all].map((l) => copySet(`${META}pod_label_${sanitize(l)}`, sanitize(l)))

function selectorRules(selector: LabelSelector, object: 'service' | 'pod'): RelabelInput[] {
  const value = (key: string) => `${META}${object}_label_${sanitize(key)}`
  const present = (key: string) => `${META}${object}_labelpresent_${sanitize(key)}`
  const equal = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, v]): RelabelInput => ({ action: 'keep', source_labels: [value(key), present(key)], regex: `(${v});true` }),
    )
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }): RelabelInput => {
    const positive = operator === 'In' || operator === 'Exists'
    const action = positive ? 'keep' : 'drop'
    return operator === 'In' || operator === 'NotIn'
      ? { action, source_labels: [value(key), present(key)], regex: `(${values.join('|')});true` }
      : { action, source_labels: [present(key)], regex: 'true' }
  })
  return [...equal, ...expressions]
}

/** The namespaces a monitor looks into: its own unless it says otherwise. */
function namespacesOf({ metadata, spec }: Monitor): readonly string[] | undefined {
  const { any, matchNames = [] } = spec.namespaceSelector ?? {}
  if (any) return undefined
  return matchNames.length > 0 ? matchNames : [metadata.namespace ?? 'default']
}

/** The rule as a prometheus.yml has it. */
export const inputOf = (rule: MonitorRelabeling): RelabelInput => ({
  ...(rule.action ? { action: rule.action } : {}),
  ...(rule.sourceLabels ? { source_labels: rule.sourceLabels } : {}),
  ...(rule.separator === undefined ? {} : { separator: rule.separator }),
  ...(rule.targetLabel ? { target_label: rule.targetLabel } : {}),
  ...(rule.regex ? { regex: rule.regex } : {}),
  ...(rule.modulus ? { modulus: rule.modulus } : {}),
  ...(rule.replacement === undefined ? {} : { replacement: rule.replacement }),
})

/** Throws a RangeError for what is no duration. */
export function durationOf(text: string | undefined): Us | undefined {
  if (text === undefined || text === '') return undefined
  const duration = parsePrometheusDuration(text)
  if (duration === undefined) throw new RangeError(`not a valid duration string: "${text}"`)
  return duration
}
