import type * as o from '../../kube/objects.ts'
import { parseQuantity } from '../../kube/quantity.ts'
import { type Causes, forbidden, invalids, invalidValue, notSupported, required } from './field.ts'
import { dns1123Label } from './names.ts'
import { containerResourceName } from './resources.ts'

type Source = 'object' | 'external' | 'pods' | 'resource' | 'containerResource'

/** In the order in which upstream looks at them: only the first that is there is checked. */
const SOURCES: readonly Source[] = ['object', 'external', 'pods', 'resource', 'containerResource']
const TYPES: Readonly<Record<string, Source>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}

type ReferenceCheck = (ref: o.CrossVersionObjectReference | undefined, path: string) => Causes

/** One metric of a HorizontalPodAutoscaler. Follows pkg/apis/autoscaling/validation/validation.go validateMetricSpec. */
export function metricSpec(spec: o.MetricSpec, path: string, reference: ReferenceCheck): Causes {
  const present = SOURCES.filter((source) => spec[source])
  const expected = Object.hasOwn(TYPES, spec.type) ? TYPES[spec.type] : undefined
  const [first] = present
  return [
    ...(spec.type ? [] : [required(`${path}.type`, 'must specify a metric source type')]),
    ...(expected ? [] : [notSupported(`${path}.type`, spec.type ?? '', Object.keys(TYPES))]),
    ...(first ? CHECK[first](spec, `${path}.${first}`, reference) : []),
    ...(expected && !spec[expected]
      ? [required(`${path}.${expected}`, 'must populate information for the given metric source')]
      : []),
    ...(present.length === 1
      ? []
      : present
          .filter((source) => source !== expected)
          .map((source) => forbidden(`${path}.${source}`, 'must populate the given metric source only'))),
  ]
}

const CHECK: Readonly<Record<Source, (spec: o.MetricSpec, path: string, reference: ReferenceCheck) => Causes>> = {
  object({ object }, path, reference) {
    const { target = {} as o.MetricTarget } = object!
    return [
      ...reference(object!.describedObject, `${path}.describedObject`),
      ...identifier(object!.metric, `${path}.metric`),
      ...metricTarget(target, `${path}.target`),
      ...(target.value === undefined && target.averageValue === undefined
        ? [required(`${path}.target.averageValue`, 'must set either a target value or averageValue')]
        : []),
    ]
  },
  external({ external }, path) {
    const { target = {} as o.MetricTarget } = external!
    const { value, averageValue } = target
    return [
      ...identifier(external!.metric, `${path}.metric`),
      ...metricTarget(target, `${path}.target`),
      ...(value === undefined && averageValue === undefined
        ? [required(`${path}.target.averageValue`, 'must set either a target value for metric or a per-pod target')]
        : []),
      ...(value !== undefined && averageValue !== undefined
        ? [forbidden(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target')]
        : []),
    ]
  },
  pods({ pods }, path) {
    const { target = {} as o.MetricTarget } = pods!
    return [
      ...identifier(pods!.metric, `${path}.metric`),
      ...metricTarget(target, `${path}.target`),
      ...(target.averageValue === undefined
        ? [required(`${path}.target.averageValue`, 'must specify a positive target averageValue')]
        : []),
    ]
  },
  resource: ({ resource }, path) => [
    ...(resource!.name ? [] : [required(`${path}.name`, 'must specify a resource name')]),
    ...resourceTarget(resource!.target, `${path}.target`),
  ],
  containerResource({ containerResource }, path) {
    const { name, container, target } = containerResource!
    return [
      ...(name
        ? containerResourceName(name, `${path}.name`)
        : [required(`${path}.name`, 'must specify a resource name')]),
      ...(container
        ? invalids(`${path}.container`, container, dns1123Label(container))
        : [required(`${path}.container`, 'must specify a container')]),
      ...resourceTarget(target, `${path}.target`),
    ]
  },
}

function resourceTarget(target: o.MetricTarget = {} as o.MetricTarget, path: string): Causes {
  const { averageUtilization, averageValue } = target
  return [
    ...metricTarget(target, path),
    ...(averageUtilization === undefined && averageValue === undefined
      ? [required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization')]
      : []),
    ...(averageUtilization !== undefined && averageValue !== undefined
      ? [forbidden(`${path}.averageValue`, 'may not set both a target raw value and a target utilization')]
      : []),
  ]
}

function metricTarget({ type, value, averageValue, averageUtilization }: o.MetricTarget, path: string): Causes {
  return [
    ...(type ? [] : [required(`${path}.type`, 'must specify a metric target type')]),
    ...(['Utilization', 'Value', 'AverageValue'].includes(type)
      ? []
      : [invalidValue(`${path}.type`, type ?? '', 'must be either Utilization, Value, or AverageValue')]),
    ...positive(value, `${path}.value`),
    ...positive(averageValue, `${path}.averageValue`),
    ...(averageUtilization !== undefined && averageUtilization < 1
      ? [invalidValue(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0')]
      : []),
  ]
}

const positive = (quantity: string | undefined, path: string): Causes =>
  quantity !== undefined && parseQuantity(quantity).nanos <= 0n
    ? [invalidValue(path, quantity, 'must be positive')]
    : []

function identifier(id: o.MetricIdentifier | undefined, path: string): Causes {
  const name = id?.name
  if (!name) return [required(`${path}.name`, 'must specify a metric name')]
  if (name === '.' || name === '..') return [invalidValue(`${path}.name`, name, `may not be '${name}'`)]
  const wrong = ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`)
  return invalids(`${path}.name`, name, wrong)
}
