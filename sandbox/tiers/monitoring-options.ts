import type { AdapterConfig } from '../metrics/adapter/config.ts'
import type { RuleGroup } from '../metrics/rules/rule.ts'
import type { DeclaredPrometheus } from '../metrics/scrape/declared.ts'
import type { ScrapeConfig } from '../metrics/scrape/scrape-config.ts'
import type { Peer } from '../network/network-policy.ts'

/** What measures a cluster and tells its autoscalers. Only what is here reaches them. Plain values: it crosses threads and tiers. */
export interface MonitoringOptions {
  /** Whether metrics-server serves metrics.k8s.io. */
  readonly metricsServer: boolean
  /** The Prometheus servers; none runs where nobody would ask one. */
  readonly prometheus: readonly MonitoringPrometheus[]
  /** prometheus-adapter's rules; it serves custom.metrics.k8s.io, and external.metrics.k8s.io where it has external rules. */
  readonly adapter?: { readonly config: AdapterConfig; readonly relistIntervalUs?: number }
  /** Prometheus servers once more, for the alerts they raise: nothing that scales rests on these, and what they lack changes no verdict. */
  readonly alerting?: readonly MonitoringPrometheus[]
  /** KEDA runs, and serves external.metrics.k8s.io. */
  readonly keda: boolean
}

export interface MonitoringPrometheus {
  /** Addresses by which KEDA and the adapter know it; `'any'`: there is one Prometheus alone. */
  readonly addresses: 'any' | readonly string[]
  /** Where its jobs come from: an object or ConfigMap of the platform, or every monitor in the cluster. */
  readonly source: DeclaredPrometheus | { readonly kind: 'operator' }
  /** Jobs besides those: annotated pods, exporters of the cluster. */
  readonly jobs: readonly ScrapeConfig[]
  readonly rules: readonly RuleGroup[]
  /** Names that are stored: those somebody asks for. */
  readonly wanted: 'all' | ReadonlySet<string>
  /** Who its pod is to NetworkPolicies; left out: these do not concern it. */
  readonly peer?: Peer
}
