import { AdapterConfigError, type DiscoveryRule } from '../../../../sandbox/metrics/adapter/config.ts'
import { namerOf } from '../../../../sandbox/metrics/adapter/namer.ts'
import { TemplateError } from '../../../../sandbox/metrics/adapter/template.ts'
import { QueryError } from '../../../../sandbox/metrics/querier.ts'
import { RegexpError } from '../../../../sandbox/metrics/tsdb/regexp.ts'
import { groupOf, namespaceOf, type Platform } from '../../platform.ts'
import { addressesAsked, describeMonitoring } from './monitoring.ts'
import { namesIn } from './query-names.ts'

/** The ways a platform declares by which an autoscaler could see how many requests wait at its servers. */
export interface QueueSignal {
  /** The name prometheus-adapter gives it among the metrics of pods. */
  readonly podsMetric?: string
  /** Where KEDA would ask for it. */
  readonly serverAddress?: string
}

const WAITING = 'vllm:num_requests_waiting'

export function queueSignalOf(platform: Platform): QueueSignal {
  const { adapter } = describeMonitoring(platform).options
  const podsMetric = (adapter?.config.rules ?? []).flatMap((rule) => nameOf(rule) ?? [])[0]
  const serverAddress = addressesAsked(platform)[0] ?? operated(platform)
  return { ...(podsMetric ? { podsMetric } : {}), ...(serverAddress ? { serverAddress } : {}) }
}

/** The Service that prometheus-operator makes beside a Prometheus. */
function operated({ objects }: Platform): string | undefined {
  const prometheus = objects.find(
    ({ manifest }) => manifest.kind === 'Prometheus' && groupOf(manifest.apiVersion) === 'monitoring.coreos.com',
  )
  return prometheus && `http://prometheus-operated.${namespaceOf(prometheus)}.svc:9090`
}

/** What a rule calls the series of waiting requests; undefined where it is about others, or would not be read. */
function nameOf(rule: DiscoveryRule): string | undefined {
  try {
    const listed = namesIn(rule.seriesQuery).some((one) =>
      one.kind === 'exact' ? one.name === WAITING : one.matches(WAITING),
    )
    const namer = namerOf(rule)
    return listed && namer.filter([{ __name__: WAITING }]).length > 0 ? namer.metricName(WAITING) : undefined
  } catch (error) {
    if (
      error instanceof AdapterConfigError ||
      error instanceof QueryError ||
      error instanceof TemplateError ||
      error instanceof RegexpError
    )
      return undefined
    throw error
  }
}
