import { flagTableVersions } from '../../../../fixtures/vllm/index.ts'
import { cadvisorMetricNames } from '../../../../sandbox/metrics/exporters/cadvisor.ts'
import { dcgmMetricNames } from '../../../../sandbox/metrics/exporters/dcgm.ts'
import { kubeStateMetricNames } from '../../../../sandbox/metrics/exporters/kube-state-metrics.ts'
import { parseCommandLine } from '../../../../sandbox/vllm/flags/parse.ts'
import { settingsOf } from '../../../../sandbox/vllm/flags/settings.ts'
import { versionOf } from '../../../../sandbox/vllm/flags/version.ts'
import { engineOf, type MetricNames, metricNamesOf } from '../../../../sandbox/vllm/server/metric-names.ts'
import type { InferenceServerRole, VllmRecognition } from '../inference-servers.ts'
import type { ExporterName } from './jobs.ts'

/** What a server exposes, and where. */
export interface ServerMetrics extends MetricNames {
  readonly version: string
  readonly port: number
  /** What its series have for `model_name`. */
  readonly modelName: string
}

const known = new WeakMap<VllmRecognition, ServerMetrics | undefined>()

/** Undefined for a server whose command line cannot be read: it does not get as far as exposing anything. */
export function metricsOfServer({ recognised }: InferenceServerRole<VllmRecognition>): ServerMetrics | undefined {
  if (!known.has(recognised)) known.set(recognised, metricsOf(recognised))
  return known.get(recognised)
}

function metricsOf(recognised: VllmRecognition): ServerMetrics | undefined {
  if (recognised.kind !== 'vllm') return undefined
  const version = versionOf(recognised.image)
  const parsed = parseCommandLine(recognised.args, recognised.form, version)
  if (!parsed.ok) return undefined
  const settings = settingsOf(parsed, version, recognised.environment)
  const { port, showHiddenMetricsForVersion, servedModelNames } = settings
  const engine = engineOf(recognised.environment['VLLM_USE_V1'])
  const names = metricNamesOf(version.version, {
    ...(engine ? { engine } : {}),
    showHiddenFor: showHiddenMetricsForVersion.value,
  })
  return { ...names, version: version.version, port: port.value, modelName: servedModelNames.value[0] ?? '' }
}

export const NAMES_OF_EXPORTER: Readonly<Record<ExporterName, ReadonlySet<string>>> = {
  'kube-state-metrics': kubeStateMetricNames,
  cadvisor: cadvisorMetricNames,
  dcgm: dcgmMetricNames,
}

/** Series every scrape leaves. */
export const SCRAPE_SERIES: ReadonlySet<string> = new Set([
  ...['up', 'scrape_duration_seconds', 'scrape_samples_scraped'],
  ...['scrape_samples_post_metric_relabeling', 'scrape_series_added'],
])

let ofAnyVersion: ReadonlySet<string> | undefined

/** Names that some version of vLLM exposes. */
export function vllmNamesOfAnyVersion(): ReadonlySet<string> {
  ofAnyVersion ??= new Set(
    flagTableVersions().flatMap((version) => {
      const { exposed, notSimulated } = metricNamesOf(version)
      return [...exposed, ...notSimulated]
    }),
  )
  return ofAnyVersion
}
