import { parseDocument } from 'yaml'
import type { Us } from '../../world/time.ts'
import { parsePrometheusDuration } from './duration.ts'
import { type RelabelInput, relabelRule } from './relabel.ts'
import { DEFAULTS, type Discovery, type Role, type ScrapeConfig, type Unmodelled } from './scrape-config.ts'

/** What a prometheus.yml says, as far as it is simulated. */
export interface PrometheusFile {
  readonly scrapes: readonly ScrapeConfig[]
  readonly evaluationIntervalUs: Us
  readonly externalLabels: Readonly<Record<string, string>>
  /** Globs of rule files. */
  readonly ruleFiles: readonly string[]
  readonly unmodelled: readonly Unmodelled[]
}

/** A configuration Prometheus would not start with. */
export class PrometheusConfigError extends Error {
  override readonly name = 'PrometheusConfigError'
  readonly code = 'prometheus-config'
}

type Yaml = Readonly<Record<string, unknown>>

const isMap = (value: unknown): value is Yaml => typeof value === 'object' && value !== null && !Array.isArray(value)
const mapOf = (value: unknown): Yaml => (isMap(value) ? value : {})
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const ROLES: readonly string[] = ['pod', 'endpoints', 'endpointslice', 'service', 'node'] satisfies Role[]
/** Fields of a scrape config that change nothing in a simulated network. */
const HARMLESS = new Set([
  ...['tls_config', 'bearer_token_file', 'authorization', 'basic_auth', 'enable_http2', 'follow_redirects'],
  ...['enable_compression', 'scrape_protocols', 'fallback_scrape_protocol', 'label_limit', 'label_name_length_limit'],
  ...['label_value_length_limit', 'target_limit', 'keep_dropped_targets', 'body_size_limit', 'oauth2'],
])
const KNOWN = new Set([
  ...['job_name', 'scrape_interval', 'scrape_timeout', 'metrics_path', 'scheme', 'params', 'honor_labels'],
  ...['honor_timestamps', 'track_timestamps_staleness', 'relabel_configs', 'metric_relabel_configs', 'sample_limit'],
  ...['kubernetes_sd_configs', 'static_configs'],
])

/** Reads the text of a prometheus.yml. Throws a PrometheusConfigError on what Prometheus refuses. */
// follows config/config.go of prometheus/prometheus
export function parsePrometheusYml(text: string): PrometheusFile {
  const document = parseDocument(text)
  if (document.errors.length > 0) throw new PrometheusConfigError(`yaml: ${document.errors[0]!.message}`)
  const root = mapOf(document.toJS({ maxAliasCount: 100 }))
  const global = mapOf(root.global)
  const unmodelled: Unmodelled[] = []
  const defaults = {
    intervalUs: durationOf(global, 'scrape_interval') ?? DEFAULTS.intervalUs,
    timeoutUs: durationOf(global, 'scrape_timeout'),
  }
  const scrapes = listOf(root.scrape_configs)
    .filter(isMap)
    .map((job) => scrapeConfig(job, defaults, unmodelled))
  const names = new Set<string>()
  for (const { jobName } of scrapes) {
    if (names.has(jobName)) throw new PrometheusConfigError(`found multiple scrape configs with job name "${jobName}"`)
    names.add(jobName)
  }
  for (const key of ['remote_read', 'scrape_config_files'])
    if (listOf(root[key]).length > 0) unmodelled.push({ where: 'prometheus.yml', what: key })
  return {
    scrapes,
    evaluationIntervalUs: durationOf(global, 'evaluation_interval') ?? DEFAULTS.intervalUs,
    externalLabels: stringsOf(global.external_labels),
    ruleFiles: listOf(root.rule_files).map(String),
    unmodelled,
  }
}

function scrapeConfig(
  job: Yaml,
  defaults: { intervalUs: Us; timeoutUs: Us | undefined },
  unmodelled: Unmodelled[],
): ScrapeConfig {
  const jobName = typeof job.job_name === 'string' ? job.job_name : ''
  if (jobName === '') throw new PrometheusConfigError('job_name is empty')
  const where = `job ${jobName}`
  for (const key of Object.keys(job)) if (!KNOWN.has(key) && !HARMLESS.has(key)) unmodelled.push({ where, what: key })
  const intervalUs = durationOf(job, 'scrape_interval') ?? defaults.intervalUs
  const given = durationOf(job, 'scrape_timeout')
  if (given !== undefined && given > intervalUs)
    throw new PrometheusConfigError(
      `scrape timeout greater than scrape interval for scrape config with job name "${jobName}"`,
    )
  return {
    jobName,
    intervalUs,
    timeoutUs: given ?? Math.min(defaults.timeoutUs ?? DEFAULTS.timeoutUs, intervalUs),
    metricsPath: typeof job.metrics_path === 'string' ? job.metrics_path : DEFAULTS.metricsPath,
    scheme: job.scheme === 'https' ? 'https' : 'http',
    params: Object.fromEntries(Object.entries(mapOf(job.params)).map(([k, v]) => [k, listOf(v).map(String)])),
    honorLabels: job.honor_labels === true,
    honorTimestamps: job.honor_timestamps !== false,
    trackTimestampsStaleness: job.track_timestamps_staleness === true,
    relabel: listOf(job.relabel_configs).map((rule) => relabelRule(mapOf(rule) as RelabelInput)),
    metricRelabel: listOf(job.metric_relabel_configs).map((rule) => relabelRule(mapOf(rule) as RelabelInput)),
    sampleLimit: typeof job.sample_limit === 'number' ? job.sample_limit : 0,
    discoveries: [
      ...listOf(job.kubernetes_sd_configs).flatMap((sd) => kubernetes(mapOf(sd), where, unmodelled)),
      ...listOf(job.static_configs).map((sd): Discovery => {
        const { targets, labels } = mapOf(sd)
        return { kind: 'static', targets: listOf(targets).map(String), labels: stringsOf(labels) }
      }),
    ],
  }
}

function kubernetes(sd: Yaml, where: string, unmodelled: Unmodelled[]): Discovery[] {
  const role = String(sd.role)
  if (!ROLES.includes(role)) {
    unmodelled.push({ where, what: `kubernetes_sd_configs role ${role}` })
    return []
  }
  for (const key of ['selectors', 'attach_metadata', 'kubeconfig_file', 'api_server'])
    if (
      sd[key] !== undefined &&
      !(key === 'attach_metadata' && Object.values(mapOf(sd[key])).every((v) => v === false))
    )
      unmodelled.push({ where, what: `kubernetes_sd_configs ${key}` })
  const names = listOf(mapOf(sd.namespaces).names).map(String)
  if (mapOf(sd.namespaces).own_namespace === true)
    unmodelled.push({ where, what: 'kubernetes_sd_configs own_namespace' })
  return [{ kind: 'kubernetes', role: role as Role, namespaces: names.length > 0 ? names : undefined }]
}

function durationOf(object: Yaml, key: string): Us | undefined {
  if (object[key] === undefined) return undefined
  const duration = parsePrometheusDuration(String(object[key]))
  if (duration === undefined) throw new PrometheusConfigError(`not a valid duration string: "${String(object[key])}"`)
  return duration
}

const stringsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(mapOf(value)).map(([k, v]) => [k, String(v)]))
