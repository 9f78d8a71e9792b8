import type { OtherObject } from '../../kube/objects.ts'
import { durationOf, inputOf, type MonitorDefaults, type MonitorRelabeling } from './monitors.ts'
import { type RelabelInput, relabelRule } from './relabel.ts'
import { DEFAULTS, type Discovery, type Role, type ScrapeConfig, type Unmodelled } from './scrape-config.ts'

/** A ScrapeConfig of monitoring.coreos.com/v1alpha1, as far as it is read. */
export interface ScrapeConfigObject extends OtherObject {
  kind: 'ScrapeConfig'
  spec: {
    readonly jobName?: string
    readonly staticConfigs?: readonly {
      readonly targets: readonly string[]
      readonly labels?: Readonly<Record<string, string>>
    }[]
    readonly kubernetesSDConfigs?: readonly KubernetesDiscovery[]
    readonly metricsPath?: string
    readonly scheme?: string
    readonly params?: Readonly<Record<string, readonly string[]>>
    readonly scrapeInterval?: string
    readonly scrapeTimeout?: string
    readonly honorLabels?: boolean
    readonly honorTimestamps?: boolean
    readonly trackTimestampsStaleness?: boolean
    readonly sampleLimit?: number
    readonly relabelings?: readonly MonitorRelabeling[]
    readonly metricRelabelings?: readonly MonitorRelabeling[]
    readonly [field: string]: unknown
  }
}

interface KubernetesDiscovery {
  readonly role: string
  readonly namespaces?: { readonly names?: readonly string[]; readonly ownNamespace?: boolean }
  readonly [field: string]: unknown
}

const KNOWN = new Set([
  ...['jobName', 'staticConfigs', 'kubernetesSDConfigs', 'metricsPath', 'scheme', 'params', 'scrapeInterval'],
  ...['scrapeTimeout', 'honorLabels', 'honorTimestamps', 'trackTimestampsStaleness', 'sampleLimit', 'relabelings'],
  ...['metricRelabelings'],
])
/** Fields that change nothing in a simulated network. */
const HARMLESS = new Set([
  ...['tlsConfig', 'authorization', 'basicAuth', 'oauth2', 'enableHTTP2', 'enableCompression', 'scrapeProtocols'],
  ...['fallbackScrapeProtocol', 'targetLimit', 'labelLimit', 'labelNameLengthLimit', 'labelValueLengthLimit'],
  ...['keepDroppedTargets', 'bodySizeLimit', 'nameValidationScheme', 'nameEscapingScheme'],
])

/**
 * The scrape job prometheus-operator makes of a ScrapeConfig, and what of it is not simulated. Throws a RelabelError, RegexpError or
 * RangeError for what the operator rejects.
 */
// follows generateScrapeConfig of prometheus-operator's pkg/prometheus/promcfg.go
export function scrapeObjectConfig(
  object: ScrapeConfigObject,
  defaults: MonitorDefaults,
): { configs: ScrapeConfig[]; unmodelled: Unmodelled[] } {
  const { spec, metadata } = object
  const where = `ScrapeConfig ${metadata.namespace}/${metadata.name}`
  const unmodelled = Object.entries(spec).flatMap(([field, value]): Unmodelled[] =>
    KNOWN.has(field) || HARMLESS.has(field) || value === undefined ? [] : [{ where, what: field }],
  )
  const intervalUs = durationOf(spec.scrapeInterval) ?? defaults.intervalUs
  const timeout = durationOf(spec.scrapeTimeout) ?? defaults.timeoutUs
  if (spec.scrapeTimeout !== undefined && timeout! > intervalUs)
    throw new RangeError(`scrapeTimeout "${spec.scrapeTimeout}" greater than scrapeInterval`)
  const job = `scrapeConfig/${metadata.namespace}/${metadata.name}`
  const rules: RelabelInput[] = [
    { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' },
    ...(spec.relabelings ?? []).map(inputOf),
  ]
  const config: ScrapeConfig = {
    jobName: spec.jobName || job,
    discoveries: [
      ...(spec.staticConfigs ?? []).map(({ targets, labels = {} }): Discovery => ({ kind: 'static', targets, labels })),
      ...(spec.kubernetesSDConfigs ?? []).flatMap((sd) => discoveryOf(sd, object, where, unmodelled)),
    ],
    intervalUs,
    timeoutUs: Math.min(timeout ?? DEFAULTS.timeoutUs, intervalUs),
    metricsPath: spec.metricsPath || DEFAULTS.metricsPath,
    scheme: spec.scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    params: spec.params ?? {},
    honorLabels: spec.honorLabels === true,
    honorTimestamps: spec.honorTimestamps !== false,
    trackTimestampsStaleness: spec.trackTimestampsStaleness === true,
    relabel: rules.map(relabelRule),
    metricRelabel: (spec.metricRelabelings ?? []).map(inputOf).map(relabelRule),
    sampleLimit: spec.sampleLimit ?? 0,
  }
  return { configs: [config], unmodelled }
}

const ROLES: Readonly<Record<string, Role>> = {
  pod: 'pod',
  endpoints: 'endpoints',
  endpointslice: 'endpointslice',
  service: 'service',
  node: 'node',
}

function discoveryOf(
  sd: KubernetesDiscovery,
  { metadata }: ScrapeConfigObject,
  where: string,
  unmodelled: Unmodelled[],
): Discovery[] {
  const role = ROLES[String(sd.role).toLowerCase()]
  if (!role) {
    unmodelled.push({ where, what: `kubernetesSDConfigs role ${sd.role}` })
    return []
  }
  for (const field of ['selectors', 'attachMetadata', 'apiServer'])
    if (sd[field] !== undefined && JSON.stringify(sd[field]) !== '{"node":false}')
      unmodelled.push({ where, what: `kubernetesSDConfigs ${field}` })
  const { names = [], ownNamespace = false } = sd.namespaces ?? {}
  const namespaces = [...(ownNamespace ? [metadata.namespace ?? 'default'] : []), ...names]
  return [{ kind: 'kubernetes', role, namespaces: namespaces.length > 0 ? namespaces : undefined }]
}
