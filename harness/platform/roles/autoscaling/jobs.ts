import { exporterJobs } from '../../../../sandbox/metrics/exporters/cluster-exporters.ts'
import { parsePrometheusYml } from '../../../../sandbox/metrics/scrape/prometheus-yml.ts'
import type { ScrapeConfig } from '../../../../sandbox/metrics/scrape/scrape-config.ts'
import type { Us } from '../../../../sandbox/world/time.ts'
import type { ConfigValues } from '../../config/config.ts'

type PrometheusSettings = NonNullable<NonNullable<ConfigValues['metrics']>['prometheus']>
export type ExporterName = NonNullable<PrometheusSettings['exporters']>[number]

/** Prometheus' own default. */
const INTERVAL: Us = 60e6

/** What a Prometheus outside the manifests is said to scrape. */
export interface JobSettings {
  readonly annotations: boolean
  readonly interval?: Us | undefined
  readonly scrapes?: PrometheusSettings['scrapes'] | undefined
  readonly exporters: ReadonlySet<ExporterName>
}

const JOB_OF: Readonly<Record<string, ExporterName>> = {
  'kube-state-metrics': 'kube-state-metrics',
  kubelet: 'cadvisor',
  'nvidia-dcgm-exporter': 'dcgm',
}

/** The scrape jobs of those settings. */
export function jobsOf({ annotations, interval, scrapes = [], exporters }: JobSettings): ScrapeConfig[] {
  const timed = (job: ScrapeConfig, every: Us | undefined): ScrapeConfig =>
    every === undefined ? job : { ...job, intervalUs: every, timeoutUs: Math.min(job.timeoutUs, every) }
  return [
    ...(annotations ? annotationJobs().map((job) => timed(job, interval)) : []),
    ...scrapes.map((scrape, i) => timed(scrapeJob(scrape, i), scrape.interval ?? interval ?? INTERVAL)),
    ...exporterJobs()
      .filter(({ jobName }) => exporters.has(JOB_OF[jobName]!))
      .map((job) => timed(job, interval)),
  ]
}

const copied = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([target, source]) => `\n  - {source_labels: [__meta_kubernetes_${source}], target_label: ${target}}`)
    .join('')
const mapped = (object: 'pod' | 'service'): string =>
  `\n  - {action: labelmap, regex: __meta_kubernetes_${object}_label_(.+)}`

const POD_LABELS = mapped('pod') + copied({ namespace: 'namespace', pod: 'pod_name', node: 'pod_node_name' })
const SERVICE_LABELS =
  mapped('service') + copied({ namespace: 'namespace', service: 'service_name', node: 'pod_node_name' })

const ofAnnotations = (object: 'pod' | 'service') => {
  const annotation = (name: string) => `__meta_kubernetes_${object}_annotation_prometheus_io_${name}`
  return `
  - {source_labels: [${annotation('scrape')}], action: keep, regex: true}
  - {source_labels: [${annotation('scheme')}], action: replace, regex: (https?), target_label: __scheme__}
  - {source_labels: [${annotation('path')}], action: replace, regex: (.+), target_label: __metrics_path__}
  - {source_labels: [__address__, ${annotation('port')}], regex: '([^:]+)(?::\\d+)?;(\\d+)', replacement: '$1:$2', target_label: __address__}`
}

/** The jobs of the prometheus-community chart that look at `prometheus.io/` annotations, with the labels they give. */
const annotationJobs = (): readonly ScrapeConfig[] =>
  parsePrometheusYml(`
scrape_configs:
- job_name: kubernetes-service-endpoints
  honor_labels: true
  kubernetes_sd_configs: [{role: endpoints}]
  relabel_configs:${ofAnnotations('service')}${SERVICE_LABELS}
- job_name: kubernetes-pods
  honor_labels: true
  kubernetes_sd_configs: [{role: pod}]
  relabel_configs:${ofAnnotations('pod')}
  - {source_labels: [__meta_kubernetes_pod_phase], action: drop, regex: Pending|Succeeded|Failed|Completed}${POD_LABELS}
`).scrapes

const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]{}\\]/g, '\\$&')
const sanitized = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_')

function scrapeJob(
  { selector, namespace, port, path }: NonNullable<JobSettings['scrapes']>[number],
  i: number,
): ScrapeConfig {
  const by = typeof port === 'number' ? 'number' : 'name'
  const keep = (label: string, value: string) =>
    `  - {action: keep, source_labels: [__meta_kubernetes_pod_${label}], regex: ${JSON.stringify(escaped(value))}}`
  return parsePrometheusYml(`
scrape_configs:
- job_name: seatrial.yaml/${i}
  metrics_path: ${JSON.stringify(path)}
  kubernetes_sd_configs: [{role: pod${namespace ? `, namespaces: {names: [${JSON.stringify(namespace)}]}` : ''}}]
  relabel_configs:
${Object.entries(selector)
  .map(([key, value]) => keep(`label_${sanitized(key)}`, value))
  .join('\n')}
${keep(`container_port_${by}`, String(port))}
  - {action: drop, source_labels: [__meta_kubernetes_pod_phase], regex: Pending|Succeeded|Failed}${POD_LABELS}${copied({ container: 'pod_container_name' })}
`).scrapes[0]!
}
