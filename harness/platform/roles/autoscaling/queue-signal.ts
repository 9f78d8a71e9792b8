import { AdapterConfigError, type DiscoveryRule } from '../../../../sandbox/metrics/adapter/config.ts'
import { resourceFor } from '../../../../sandbox/metrics/adapter/group-resource.ts'
import { namerOf } from '../../../../sandbox/metrics/adapter/namer.ts'
import { TemplateError } from '../../../../sandbox/metrics/adapter/template.ts'
import { QueryError } from '../../../../sandbox/metrics/querier.ts'
import { RegexpError } from '../../../../sandbox/metrics/tsdb/regexp.ts'
import { groupOf, namespaceOf, type Platform } from '../../platform.ts'
import { addressesAsked, describeMonitoring } from './monitoring.ts'
import { namesIn } from './query-names.ts'

/** The ways a platform declares by which an autoscaler could see how many requests its servers have. */
export interface QueueSignal {
  /** The names prometheus-adapter gives among the metrics of pods to requests that wait, that run, and to both together. */
  readonly podsMetrics: { readonly waiting?: string; readonly running?: string; readonly both?: string }
  /** Where KEDA would ask for it. */
  readonly serverAddress?: string
}

const WAITING = 'vllm:num_requests_waiting'
const RUNNING = 'vllm:num_requests_running'

export function queueSignalOf(platform: Platform): QueueSignal {
  const { adapter } = describeMonitoring(platform).options
  const named = (adapter?.config.rules ?? []).flatMap((rule) => metricsOf(rule))
  const nameOf = (kind: Metric['kind']) => named.find((one) => one.kind === kind)?.name
  const [waiting, running, both] = [nameOf('waiting'), nameOf('running'), nameOf('both')]
  const serverAddress = addressesAsked(platform)[0] ?? operated(platform)
  return {
    podsMetrics: { ...(waiting ? { waiting } : {}), ...(running ? { running } : {}), ...(both ? { both } : {}) },
    ...(serverAddress ? { serverAddress } : {}),
  }
}

/** The Service that prometheus-operator makes beside a Prometheus. */
function operated({ objects }: Platform): string | undefined {
  const prometheus = objects.find(
    ({ manifest }) => manifest.kind === 'Prometheus' && groupOf(manifest.apiVersion) === 'monitoring.coreos.com',
  )
  return prometheus && `http://prometheus-operated.${namespaceOf(prometheus)}.svc:9090`
}

interface Metric {
  readonly kind: 'waiting' | 'running' | 'both'
  readonly name: string
}

/** What a rule makes of the series of requests; nothing where it is about others, or would not be read. */
function metricsOf(rule: DiscoveryRule): Metric[] {
  try {
    const namer = namerOf(rule)
    const listed = namesIn(rule.seriesQuery)
    return [WAITING, RUNNING].flatMap((series): Metric[] => {
      const mine = listed.some((one) => (one.kind === 'exact' ? one.name === series : one.matches(series)))
      const name = mine && namer.filter([{ __name__: series }]).length > 0 ? namer.metricName(series) : undefined
      if (!name) return []
      const asked = namesIn(namer.query(series, POD, 'default', undefined, ['pod']))
      const [waiting, running] = [WAITING, RUNNING].map((wanted) =>
        asked.some((one) => (one.kind === 'exact' ? one.name === wanted : one.matches(wanted))),
      )
      if (waiting && running) return [{ kind: 'both', name }]
      return waiting ? [{ kind: 'waiting', name }] : running ? [{ kind: 'running', name }] : []
    })
  } catch (error) {
    if (
      error instanceof AdapterConfigError ||
      error instanceof QueryError ||
      error instanceof TemplateError ||
      error instanceof RegexpError
    )
      return []
    throw error
  }
}

const POD = resourceFor('pods')!
