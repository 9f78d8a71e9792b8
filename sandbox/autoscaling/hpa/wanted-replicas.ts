import type { ControllerContext } from '../../controllers/controller.ts'
import type * as o from '../../kube/objects.ts'
import { parseQuantity } from '../../kube/quantity.ts'
import { parseSelector } from '../../kube/selector-text.ts'
import { type Selector, SelectorError } from '../../kube/selectors.ts'
import type { Task } from '../../world/actor.ts'
import { controllersOf, selectedPods } from './ambiguity.ts'
import type { ConditionType, Told } from './conditions.ts'
import type { Memory } from './memory.ts'
import { MetricFailure, proposalOf } from './metric-proposal.ts'
import type { HpaOptions } from './options.ts'
import { ReplicaCalculator, type Tolerances } from './replica-calculator.ts'
import { ScalingError } from './scaling-error.ts'
import { selectorObject } from './selector-text.ts'

/** What of a pass is said to users. */
export interface Voice {
  tell(type: ConditionType, status: Told['status'], reason: string, message: string): void
  warn(reason: string, message: string): void
}

export interface WantedOptions {
  readonly hpa: o.HorizontalPodAutoscaler
  readonly key: string
  readonly scale: o.Scale
  readonly context: ControllerContext
  readonly memory: Memory
  readonly options: HpaOptions
  readonly voice: Voice
}

export type Wanted =
  | {
      readonly replicas: number
      /** The metric that asks for the most. */
      readonly metric: string
      readonly metrics: readonly o.MetricStatus[]
      /** Some metrics failed. */
      readonly failure: string | undefined
    }
  | { readonly failed: string; readonly metrics: readonly o.MetricStatus[] | undefined }

/**
 * The most that any metric asks for. Fails when all metrics do, and when some do and the others would scale down.
 * Follows pkg/controller/podautoscaler/horizontal.go computeReplicasForMetrics.
 */
export function* wantedReplicas(options: WantedOptions): Task<Wanted> {
  const { hpa, scale, voice, context } = options
  const selector = targetSelector(options)
  if ('failed' in selector) return { failed: selector.failed, metrics: undefined }
  const { metrics } = hpa.spec
  const namespace = hpa.metadata.namespace ?? ''
  const pods = { selector: selector.object, list: () => selectedPods(context.kube, namespace, selector.parsed) }
  const metricContext = {
    calculator: new ReplicaCalculator({ ...options.options, now: () => context.now }),
    ask: { tolerances: tolerancesOf(hpa, options.options.tolerance), namespace, pods },
    specReplicas: scale.spec.replicas,
    statusReplicas: scale.status.replicas,
  }
  const statuses: o.MetricStatus[] = []
  const failures: MetricFailure[] = []
  let [replicas, name] = [0, '']
  for (const metric of metrics) {
    try {
      const proposal = yield* proposalOf(metric, metricContext)
      statuses.push(proposal.status)
      if (replicas === 0 || proposal.replicas > replicas) [replicas, name] = [proposal.replicas, proposal.name]
    } catch (error) {
      if (!(error instanceof MetricFailure)) throw error
      voice.warn(error.reason, error.said)
      statuses.push({ type: '' })
      failures.push(error)
    }
  }
  const [first] = failures
  const failed = `invalid metrics (${failures.length} invalid out of ${metrics.length}), first error is: ${first?.message}`
  if (first && (failures.length === metrics.length || replicas < scale.spec.replicas)) {
    const message = `the HPA was unable to compute the replica count: ${first.said}`
    voice.tell('ScalingActive', 'False', first.reason, message)
    return { failed, metrics: statuses }
  }
  const message = `the HPA was able to successfully calculate a replica count from ${name}`
  voice.tell('ScalingActive', 'True', 'ValidMetricFound', message)
  return { replicas, metric: name, metrics: statuses, failure: first && failed }
}

/** Follows validateAndParseSelector: pods that several HPAs select are scaled by none. */
function targetSelector({
  hpa,
  key,
  scale,
  context,
  memory,
  voice,
}: WantedOptions): { parsed: Selector; object: o.LabelSelector } | { failed: string } {
  const text = scale.status.selector ?? ''
  const refuse = (reason: string, failed: string, event = reason, message = failed) => {
    voice.warn(event, failed)
    voice.tell('ScalingActive', 'False', reason, message)
    return { failed }
  }
  if (text === '')
    return refuse(
      'InvalidSelector',
      'selector is required',
      'SelectorRequired',
      "the HPA target's scale is missing a selector",
    )
  let parsed: Selector
  let object: o.LabelSelector
  try {
    parsed = parseSelector(text)
    object = selectorObject(parsed)
  } catch (error) {
    if (!(error instanceof SelectorError) && !(error instanceof ScalingError)) throw error
    const why = error.message
    return refuse('InvalidSelector', `couldn't convert selector into a corresponding internal selector object: ${why}`)
  }
  if (memory.selectors.has(key)) memory.selectors.set(key, parsed)
  const namespace = hpa.metadata.namespace ?? ''
  const hpas = controllersOf(selectedPods(context.kube, namespace, parsed), namespace, memory)
  if (hpas.length > 1)
    return refuse('AmbiguousSelector', `pods by selector ${text} are controlled by multiple HPAs: [${hpas.join(' ')}]`)
  return { parsed, object }
}

/** Follows tolerancesForHpa; the gate HPAConfigurableTolerance is on in 1.36. */
function tolerancesOf({ spec: { behavior } }: o.HorizontalPodAutoscaler, general: number): Tolerances {
  const own = (tolerance: string | undefined) => (tolerance === undefined ? general : approximate(tolerance))
  return { down: own(behavior?.scaleDown.tolerance), up: own(behavior?.scaleUp.tolerance) }
}

/** A quantity as a float, with the rounding of upstream's AsApproximateFloat64. */
function approximate(quantity: string): number {
  let { nanos } = parseQuantity(quantity)
  let exponent = -9
  while (nanos !== 0n && nanos % 1000n === 0n && exponent < 0) {
    nanos /= 1000n
    exponent += 3
  }
  return exponent === 0 ? Number(nanos) : Number(nanos) * Number(`1e${exponent}`)
}
