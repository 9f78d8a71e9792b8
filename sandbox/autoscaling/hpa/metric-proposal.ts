import type {
  HorizontalPodAutoscaler,
  LabelSelector,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from '../../kube/objects.ts'
import { formatQuantity, parseQuantity } from '../../kube/quantity.ts'
import { labelSelector, SelectorError } from '../../kube/selectors.ts'
import type { Task } from '../../world/actor.ts'
import type { Ask, Proposal, ReplicaCalculator } from './replica-calculator.ts'
import { messageOf, ScalingError } from './scaling-error.ts'
import { selectorText } from './selector-text.ts'

export interface MetricProposal {
  readonly replicas: number
  /** For reasons of events: `cpu resource utilization (percentage of request)`. */
  readonly name: string
  readonly status: MetricStatus
}

/** A metric that cannot be read. */
export class MetricFailure extends Error {
  override readonly name = 'MetricFailure'
  /** Of the event and the condition. */
  readonly reason: string
  /** What the event says and the condition ends with. The error's own message says more. */
  readonly said: string

  constructor(reason: string, said: string, message: string) {
    super(message)
    this.reason = reason
    this.said = said
  }
}

/** What a metric is read for: the ask without what depends on the metric. */
export interface MetricContext {
  readonly calculator: ReplicaCalculator
  readonly ask: Omit<Ask, 'current' | 'target'>
  /** Of the scale's spec and status. */
  readonly specReplicas: number
  readonly statusReplicas: number
}

/**
 * What one metric of an HPA asks for. Throws a MetricFailure.
 * Follows pkg/controller/podautoscaler/horizontal.go computeReplicasForMetric.
 */
export function* proposalOf(metric: MetricSpec, context: MetricContext): Task<MetricProposal> {
  switch (metric.type) {
    case 'Resource': {
      const { name, target } = metric.resource!
      return yield* wrapped('FailedGetResourceMetric', `failed to get ${name} resource metric value`, function* () {
        const { replicas, current } = yield* resourceProposal(context, name, target, undefined)
        const status: MetricStatus = { type: 'Resource', resource: { name, current } }
        return { replicas, name: resourceMetricName(name, 'resource', target), status }
      })
    }
    case 'ContainerResource': {
      const { name, container, target } = metric.containerResource!
      const failure = `failed to get ${container} container metric value`
      return yield* wrapped('FailedGetContainerResourceMetric', failure, function* () {
        const { replicas, current } = yield* resourceProposal(context, name, target, container)
        const status: MetricStatus = { type: 'ContainerResource', containerResource: { name, container, current } }
        return { replicas, name: resourceMetricName(name, 'container resource', target), status }
      })
    }
    case 'Pods': {
      const { metric: id, target } = metric.pods!
      return yield* wrapped('FailedGetPodsMetric', 'failed to get pods metric value', function* () {
        checkSelector(id.selector)
        const ask = askFor(context, 'spec', target.averageValue!)
        const { replicas, usage } = yield* context.calculator.pods(ask, id.name, id.selector)
        const status: MetricStatus = { type: 'Pods', pods: { metric: id, current: { averageValue: text(usage) } } }
        return { replicas, name: `pods metric ${id.name}`, status }
      })
    }
    case 'Object':
      return yield* objectProposal(metric.object!, context)
    case 'External':
      return yield* externalProposal(metric.external!, context)
    default: {
      const message = `unknown metric source type ${JSON.stringify(metric.type)}`
      throw new MetricFailure('InvalidMetricSourceType', message, message)
    }
  }
}

function* objectProposal(source: NonNullable<MetricSpec['object']>, context: MetricContext): Task<MetricProposal> {
  const { describedObject, metric, target } = source
  const { calculator } = context
  const status = (current: MetricValue): MetricStatus => ({
    type: 'Object',
    object: { describedObject, metric, current },
  })
  const failed = 'failed to get object metric value'
  yield* wrapped('FailedGetObjectMetric', failed, function* () {
    checkSelector(metric.selector)
  })
  if (target.type === 'Value' && target.value !== undefined)
    return yield* wrapped('FailedGetObjectMetric', failed, function* () {
      const ask = askFor(context, 'spec', target.value!)
      const { replicas, usage } = yield* calculator.object(ask, metric.name, describedObject, metric.selector)
      return { replicas, name: `${describedObject.kind} metric ${metric.name}`, status: status({ value: text(usage) }) }
    })
  if (target.type === 'AverageValue' && target.averageValue !== undefined)
    return yield* wrapped(
      'FailedGetObjectMetric',
      `${failed}: failed to get ${metric.name} object metric`,
      function* () {
        const ask = askFor(context, 'status', target.averageValue!)
        const { replicas, usage } = yield* calculator.objectPerPod(ask, metric.name, describedObject, metric.selector)
        // upstream names it an external one
        return { replicas, name: externalName(metric), status: status({ averageValue: text(usage) }) }
      },
    )
  const neither = 'invalid object metric source: neither a value target nor an average value target was set'
  throw new MetricFailure('FailedGetObjectMetric', neither, `${failed}: ${neither}`)
}

function* externalProposal(source: NonNullable<MetricSpec['external']>, context: MetricContext): Task<MetricProposal> {
  const { metric, target } = source
  const { calculator } = context
  const status = (current: MetricValue): MetricStatus => ({ type: 'External', external: { metric, current } })
  const failed = `failed to get ${metric.name} external metric value`
  const { averageValue, value } = target
  if (averageValue !== undefined)
    return yield* wrapped(
      'FailedGetExternalMetric',
      `${failed}: failed to get ${metric.name} external metric`,
      function* () {
        checkSelector(metric.selector)
        const ask = askFor(context, 'status', averageValue)
        const { replicas, usage } = yield* calculator.externalPerPod(ask, metric.name, metric.selector)
        return { replicas, name: externalName(metric), status: status({ averageValue: text(usage) }) }
      },
    )
  if (value !== undefined)
    return yield* wrapped(
      'FailedGetExternalMetric',
      `${failed}: failed to get external metric ${metric.name}`,
      function* () {
        checkSelector(metric.selector)
        const ask = askFor(context, 'spec', value)
        const { replicas, usage } = yield* calculator.external(ask, metric.name, metric.selector)
        return { replicas, name: externalName(metric), status: status({ value: text(usage) }) }
      },
    )
  const neither = 'invalid external metric source: neither a value target nor an average value target was set'
  throw new MetricFailure('FailedGetExternalMetric', neither, `${failed}: ${neither}`)
}

type MetricValue = Omit<MetricTarget, 'type'>

/** Follows computeStatusForResourceMetricGeneric. */
function* resourceProposal(
  context: MetricContext,
  resource: string,
  { averageValue, averageUtilization }: MetricTarget,
  container: string | undefined,
): Task<{ replicas: number; current: MetricValue }> {
  const { calculator } = context
  const format = resource === 'memory' ? 'BinarySI' : 'DecimalSI'
  if (averageValue !== undefined) {
    const read = calculator.resource(askFor(context, 'spec', averageValue), resource, container)
    const { replicas, usage } = yield* failing(`failed to get ${resource} usage`, read)
    return { replicas, current: { averageValue: text(usage, format) } }
  }
  if (averageUtilization === undefined)
    throw new ScalingError(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  const ask = { ...context.ask, current: context.specReplicas, target: BigInt(averageUtilization) }
  const read = calculator.utilization(ask, resource, container)
  const { replicas, usage, percent } = yield* failing(`failed to get ${resource} utilization`, read)
  return { replicas, current: { averageUtilization: percent!, averageValue: text(usage, format) } }
}

const resourceMetricName = (resource: string, source: string, { averageValue }: MetricTarget): string =>
  averageValue === undefined ? `${resource} ${source} utilization (percentage of request)` : `${resource} resource`

const externalName = ({ name, selector }: { name: string; selector?: LabelSelector }): string =>
  `external metric ${name}(${selectorText(selector)})`

const askFor = (context: MetricContext, replicas: 'spec' | 'status', target: string): Ask => ({
  ...context.ask,
  current: replicas === 'spec' ? context.specReplicas : context.statusReplicas,
  target: milli(target),
})

const MILLI = 1_000_000n

/** Thousandths of a quantity, rounded away from zero, as upstream's MilliValue. */
function milli(quantity: string): bigint {
  const { nanos } = parseQuantity(quantity)
  const whole = nanos / MILLI
  return nanos % MILLI === 0n ? whole : whole + (nanos > 0n ? 1n : -1n)
}

const text = (amount: bigint, format: 'DecimalSI' | 'BinarySI' = 'DecimalSI'): string =>
  formatQuantity({ nanos: amount * MILLI, format })

function checkSelector(selector: LabelSelector | undefined): void {
  try {
    labelSelector(selector)
  } catch (error) {
    throw error instanceof SelectorError ? new ScalingError(error.message) : error
  }
}

function* failing(before: string, task: Task<Proposal>): Task<Proposal> {
  try {
    return yield* task
  } catch (error) {
    throw new ScalingError(`${before}: ${messageOf(error)}`)
  }
}

function* wrapped<T>(reason: string, before: string, task: () => Task<T>): Task<T> {
  try {
    return yield* task()
  } catch (error) {
    const said = messageOf(error)
    throw new MetricFailure(reason, said, `${before}: ${said}`)
  }
}

/** Whether an HPA may be at zero: pods alone cannot tell that they are wanted again. */
export const hasObjectOrExternal = ({ spec }: HorizontalPodAutoscaler): boolean =>
  spec.metrics.some(({ type }) => type === 'Object' || type === 'External')
