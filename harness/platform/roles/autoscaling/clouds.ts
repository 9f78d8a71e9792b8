/** A metrics service of a cloud, which no tier has. */
export interface Cloud {
  readonly name: string
  /** What would stand for it. */
  readonly instead: string
}

const ADAPTER =
  'a prometheus-adapter rule of that name under metrics.adapter of seatrial.yaml (rules or externalRules) stands for it'
const PROMETHEUS = 'metrics.prometheus in seatrial.yaml (scrapes, exporters) stands for it'

/** The cloud behind a metric's name: `prometheus.googleapis.com|vllm:num_requests_waiting|gauge`. */
export function cloudOfMetric(metric: string): Cloud | undefined {
  if (
    /^(prometheus|custom|external|workload)\.googleapis\.com[|/]/.test(metric) ||
    /\.googleapis\.com[|/]/.test(metric)
  )
    return { name: 'Google Cloud Monitoring (custom-metrics-stackdriver-adapter)', instead: ADAPTER }
  if (/^autoscaling\.gke\.io[|/]/.test(metric)) return { name: 'GKE AutoscalingMetric', instead: ADAPTER }
  if (/^kubernetes\.io[|/]/.test(metric)) return { name: 'Google Cloud Monitoring (system metrics)', instead: ADAPTER }
  return undefined
}

/** The cloud behind the address of a Prometheus. */
export function cloudOfAddress(address: string): Cloud | undefined {
  const host = /^https?:\/\/([^/:?#]+)/.exec(address)?.[1] ?? ''
  if (/(^|\.)googleapis\.com$/.test(host)) return { name: 'Google Managed Service for Prometheus', instead: PROMETHEUS }
  if (/\.amazonaws\.com$/.test(host)) return { name: 'Amazon Managed Service for Prometheus', instead: PROMETHEUS }
  if (/\.prometheus\.monitor\.azure\.com$/.test(host))
    return { name: 'Azure Monitor managed service for Prometheus', instead: PROMETHEUS }
  if (/\.grafana\.net$/.test(host)) return { name: 'Grafana Cloud', instead: PROMETHEUS }
  return undefined
}

/** The cloud behind a KEDA trigger's type. */
export function cloudOfTrigger(type: string): string | undefined {
  if (/^gcp-/.test(type)) return 'Google Cloud'
  if (/^aws-/.test(type)) return 'AWS'
  if (/^azure-/.test(type)) return 'Azure'
  return ['datadog', 'new-relic', 'dynatrace', 'splunk', 'splunk-observability'].includes(type) ? type : undefined
}
