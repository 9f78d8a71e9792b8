import { type EngineGeneration, type VllmMetricFamily, vllmMetrics } from '../../../fixtures/vllm/metrics.ts'
import type { ExposedFamilies } from '../engine/metric-families.ts'
import { isSimulated } from '../engine/metric-quantities.ts'
import { HTTP_METRIC_NAMES } from './http-metrics.ts'
import { PROCESS_METRIC_NAMES } from './process-metrics.ts'
import type { RunnableServer } from './resolve.ts'

export interface MetricNamesOptions {
  /** Default: the version's own. */
  readonly engine?: EngineGeneration
  /** The value of `--show-hidden-metrics-for-version`. */
  readonly showHiddenFor?: string | undefined
}

/** Names of samples, as queries write them. */
export interface MetricNames {
  /** What the simulated server exposes. */
  readonly exposed: ReadonlySet<string>
  /** What a real server of the version exposes, or would with other options, and the simulated one does not. */
  readonly notSimulated: ReadonlySet<string>
}

/** The `vllm:` families a version's server exposes. */
export function exposedFamilies(version: string, { engine, showHiddenFor }: MetricNamesOptions = {}): ExposedFamilies {
  const metrics = vllmMetrics(version)
  const usual = metrics.defaultEngine
  const chosen = engine !== undefined && metrics.families[engine] ? engine : usual
  const hidden = showHiddenFor !== undefined && showHiddenFor === previousMinor(version)
  return { engine: chosen, families: metrics.families[chosen]!.filter((family) => hidden || !family.hidden) }
}

/** The same of a server: by its version, flags, GPU and `VLLM_USE_V1`. */
export function familiesOfServer({
  version,
  settings,
  command,
  gpu,
}: Pick<RunnableServer, 'version' | 'settings' | 'command' | 'gpu'>): ExposedFamilies {
  // follows _is_v1_supported_oracle in vllm/engine/arg_utils.py, as long as there was a V0 to fall back to
  const engine = engineOf(command.environment['VLLM_USE_V1']) ?? (gpu.id === 't4' ? 'v0' : undefined)
  const showHiddenFor = settings.showHiddenMetricsForVersion.value
  return exposedFamilies(version.version, { ...(engine ? { engine } : {}), showHiddenFor })
}

/** `VLLM_USE_V1` as a generation; undefined when it is not set. */
export const engineOf = (variable: string | undefined): EngineGeneration | undefined =>
  variable === undefined ? undefined : variable.trim() === '0' ? 'v0' : 'v1'

/** What queries find of a server of a version, and what they do not because it is not simulated. */
export function metricNamesOf(version: string, options: MetricNamesOptions = {}): MetricNames {
  const { engine, families } = exposedFamilies(version, options)
  const exposed = new Set([...PROCESS_METRIC_NAMES, ...HTTP_METRIC_NAMES])
  const notSimulated = new Set<string>()
  for (const family of families)
    for (const name of sampleNames(family, engine)) (isSimulated(family) ? exposed : notSimulated).add(name)
  for (const { name, type } of vllmMetrics(version).byOption)
    for (const sample of sampleNames({ name, type }, engine)) notSimulated.add(sample)
  return { exposed, notSimulated }
}

/** Only the minor version before is accepted. Follows _prev_minor_version_was in vllm/version.py. */
function previousMinor(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return `${major}.${minor - 1}`
}

function sampleNames(
  { name, type }: { readonly name: string; readonly type: VllmMetricFamily['type'] | 'unknown' },
  engine: EngineGeneration,
): string[] {
  const created = engine === 'v0' || type === 'gauge' ? [] : [`${name}_created`]
  const ofCounter = [`${name}_total`, ...created]
  const ofHistogram = [`${name}_bucket`, `${name}_count`, `${name}_sum`, ...created]
  if (type === 'counter') return ofCounter
  if (type === 'histogram') return ofHistogram
  return type === 'gauge' ? [name] : [name, ...ofCounter, ...ofHistogram]
}
