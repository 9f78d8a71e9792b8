import type * as o from '../../../kube/objects.ts'
import { formatQuantity, parseQuantity } from '../../../kube/quantity.ts'
import { KedaError } from '../errors.ts'
import { Metadata } from './metadata.ts'
import type { MetricSpec, MetricTarget, Scaler } from './scaler.ts'

/** Leaves cpu or memory to the HPA as a resource metric; says nothing of its own. Throws a KedaError. */
// follows pkg/scalers/cpu_memory_scaler.go
export function cpuMemoryScaler(name: 'cpu' | 'memory', trigger: o.ScaleTrigger): Scaler {
  const target = targetOf(name, trigger)
  const container = trigger.metadata?.['containerName']?.trim()
  const metricSpec: MetricSpec = container
    ? { type: 'ContainerResource', containerResource: { name, container, target } }
    : { type: 'Resource', resource: { name, target } }
  return {
    typeName: 'cpuMemoryScaler',
    metricSpec,
    *measure() {
      return { values: [], active: true }
    },
  }
}

function targetOf(name: string, { metadata, metricType }: o.ScaleTrigger): MetricTarget {
  const prefix = `error parsing ${name} metadata: `
  const given = new Metadata(metadata)
  if (given.optional('type') !== undefined)
    given.problem(
      `scaler ${name} info: The 'type' setting is DEPRECATED and is removed in v2.18 - Use 'metricType' instead.`,
    )
  const value = given.required('value')
  given.finish(prefix)
  if (metricType === 'AverageValue') {
    try {
      return { type: metricType, averageValue: formatQuantity(parseQuantity(value)) }
    } catch (error) {
      throw new KedaError(`${prefix}cannot parse '${value}': ${(error as Error).message}`)
    }
  }
  if (metricType === 'Utilization') {
    if (!/^[+-]?\d+$/.test(value))
      throw new KedaError(`${prefix}strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
    return { type: metricType, averageUtilization: Number(value) }
  }
  throw new KedaError(
    `${prefix}unknown metric type: ${metricType ?? ''}, allowed values are 'Utilization' or 'AverageValue'`,
  )
}
