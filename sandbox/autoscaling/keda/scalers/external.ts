import type * as o from '../../../kube/objects.ts'
import { KedaError } from '../errors.ts'
import type { MetricTarget } from './scaler.ts'

/** How the HPA compares an external metric, from a quantity. Throws a KedaError for Utilization. */
// follows pkg/scalers/scaler.go GetMetricTargetType, GetMetricTarget
export function externalTarget({ metricType }: o.ScaleTrigger): (quantity: string) => MetricTarget {
  if (metricType === 'Utilization')
    throw new KedaError(
      "error getting scaler metric type: 'Utilization' metric type is unsupported for external metrics, allowed values are 'Value' or 'AverageValue'",
    )
  return (quantity) =>
    metricType === 'Value' ? { type: 'Value', value: quantity } : { type: 'AverageValue', averageValue: quantity }
}
