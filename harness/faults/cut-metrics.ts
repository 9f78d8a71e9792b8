import { HorizontalPodAutoscaler, ScaledObject } from '../../sandbox/kube/kinds.ts'
import { hpaOf, scaledObjectOf } from '../scaling/autoscaler.ts'
import { fault } from './fault.ts'

interface Params {
  /** `source`: the Prometheus behind the autoscaler's metrics. `apis`: what serves the metrics APIs. */
  part: 'source' | 'apis'
}

const PARTS: Record<Params['part'], string> = {
  source: 'what the autoscaler’s metrics come from does not answer',
  apis: 'the metrics APIs do not answer',
}

/** Events and conditions by which an autoscaler says that it got no metric. */
const COMPLAINTS = /^(FailedGet\w*Metric\w*|FailedComputeMetricsReplicas|KEDAScalerFailed|KEDAMetricSourceFailed)$/

/**
 * The way from metrics to autoscalers is cut. Without a Prometheus behind them (an HPA on CPU) the metrics APIs are the source. Seen in an
 * autoscaler that complains.
 */
export const cutMetrics = fault<Params>({
  name: 'cutMetrics',
  lever: 'metrics.path',
  sort: 'failure',
  describe: ({ part }) => PARTS[part],
  *inject({ part }, { sandbox, setup }) {
    const cut = sandbox.levers['metrics.path']!
    return cut(part === 'source' && setup.monitoring.prometheus.length > 0 ? 'prometheus' : 'metrics-apis')
  },
  visible({ part }, { subject, view }) {
    let active = false
    let complaints = 0
    const describe = PARTS[part]
    return {
      record(record, change) {
        if (record.type === 'fault' && record.fault === 'cutMetrics' && record.detail === describe)
          active = record.step === 'inject'
        if (!active) return
        if (record.type === 'event' && COMPLAINTS.test(record.reason) && isScaler(record.kind)) complaints++
        if (change?.kind !== HorizontalPodAutoscaler.id && change?.kind !== ScaledObject.id) return
        const inactive = hpaOf(subject, view)?.status?.conditions?.some(
          ({ type, status }) => type === 'ScalingActive' && status === 'False',
        )
        const onFallback = scaledObjectOf(subject, view)?.status?.conditions?.some(
          ({ type, status }) => type === 'Fallback' && status === 'True',
        )
        if (inactive || onFallback) complaints++
      },
      result: () => ({ samples: complaints }),
    }
  },
})

const isScaler = (kind: string): boolean =>
  /HorizontalPodAutoscaler|ScaledObject|horizontalpodautoscaler|scaledobject/.test(kind)
