import type { LabelSelector } from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { RelabelRule } from './relabel.ts'

/** One scrape job, as `scrape_configs` of a prometheus.yml has it. */
export interface ScrapeConfig {
  readonly jobName: string
  readonly discoveries: readonly Discovery[]
  readonly intervalUs: Us
  readonly timeoutUs: Us
  readonly metricsPath: string
  readonly scheme: 'http' | 'https'
  readonly params: Readonly<Record<string, readonly string[]>>
  readonly honorLabels: boolean
  readonly honorTimestamps: boolean
  readonly trackTimestampsStaleness: boolean
  readonly relabel: readonly RelabelRule[]
  readonly metricRelabel: readonly RelabelRule[]
  /** More samples than this fail the scrape; 0 for no limit. */
  readonly sampleLimit: number
}

export type Role = 'pod' | 'endpoints' | 'endpointslice' | 'service' | 'node'

export type Discovery =
  | {
      readonly kind: 'kubernetes'
      readonly role: Role
      /** Undefined: all namespaces. */
      readonly namespaces: readonly string[] | undefined
      /** Labels the objects of the role must have, when `selectors` says so. */
      readonly selector?: LabelSelector
    }
  | {
      readonly kind: 'static'
      readonly targets: readonly string[]
      readonly labels: Readonly<Record<string, string>>
    }

/** Prometheus' defaults (config/config.go), and those of prometheus-operator where `operator` is set. */
export const DEFAULTS = {
  intervalUs: seconds(60),
  timeoutUs: seconds(10),
  /** prometheus-operator sets 30s when the Prometheus object does not say. */
  operatorIntervalUs: seconds(30),
  metricsPath: '/metrics',
} as const

/** Something a declared Prometheus does that is not simulated: named, so that a verdict that rests on it can say so. */
export interface Unmodelled {
  /** Where it is declared: `ServiceMonitor monitoring/vllm`, `job vllm`. */
  readonly where: string
  readonly what: string
}
