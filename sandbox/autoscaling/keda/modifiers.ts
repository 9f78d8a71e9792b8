import type * as o from '../../kube/objects.ts'
import { KedaError } from './errors.ts'
import { compileFormula, type Formula } from './formula/formula.ts'
import { COMPOSITE_METRIC, fallsBackByModifiers, isResource, usesModifiers } from './spec.ts'
import { type ExternalValue, floatOf, int64Of } from './value.ts'

/** Compiles the formula of a ScaledObject; undefined where it has none. Throws a KedaError or an UnsupportedFormulaError. */
// follows apis/keda/v1alpha1/scaledobject_webhook.go ValidateAndCompileScalingModifiers
export function formulaOf(object: o.ScaledObject): Formula | undefined {
  const { formula, target, metricType } = object.spec.advanced?.scalingModifiers ?? {}
  if (!formula) return undefined
  const names = object.spec.triggers.flatMap((trigger) => (isResource(trigger) ? [] : (trigger.name ?? [])))
  const compiled = prefixed('error validating formula in ScalingModifiers', () => {
    if (!target) throw new KedaError('formula is given but target is empty')
    return compileFormula(formula, names)
  })
  prefixed('error validating target in ScalingModifiers', () => {
    const value = goFloat(target!)
    if (value === undefined || value <= 0) {
      const why =
        value === undefined ? `strconv.ParseFloat: parsing ${JSON.stringify(target)}: invalid syntax` : '%!w(<nil>)'
      throw new KedaError(`error converting target for scalingModifiers (string->float) to valid target: ${why}`)
    }
    if (metricType === 'Utilization')
      throw new KedaError(
        'error trigger type is Utilization, but it needs to be AverageValue or Value for external metrics',
      )
  })
  return compiled
}

/** A float as Go parses it, or undefined. */
export function goFloat(text: string): number | undefined {
  if (/^[+-]?(inf|infinity)$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

/**
 * Makes one composite value out of the triggers' values, or takes the first fallback's. Throws a KedaError, and then there is no
 * value at all.
 */
// follows pkg/scaling/modifiers/formula.go HandleScalingModifiers
export function composite(
  object: o.ScaledObject,
  values: readonly ExternalValue[],
  options: {
    readonly formula: Formula | undefined
    /** Trigger names by metric. */
    readonly names: ReadonlyMap<string, string>
    /** Undefined: no fallback is active. */
    readonly fallbackValues: readonly ExternalValue[] | undefined
  },
): readonly ExternalValue[] {
  if (!usesModifiers(object)) return values
  const { formula, names, fallbackValues } = options
  const [first] = fallbackValues ?? []
  if (fallbackValues) return first ? [{ metric: COMPOSITE_METRIC, milli: first.milli }] : values
  if (!formula) return values
  const inputs = Object.fromEntries(
    values.map((value) => [names.get(value.metric) ?? '', isLost(object, value.metric) ? null : floatOf(value.milli)]),
  )
  const result = formula.run(inputs) ?? fallbackTarget(object)
  return [{ metric: COMPOSITE_METRIC, milli: int64Of(result * 1000) }]
}

/** Whether a trigger failed so often that the formula sees nil in its place. */
function isLost(object: o.ScaledObject, metric: string): boolean {
  const failures = object.status?.health?.[metric]?.numberOfFailures
  return fallsBackByModifiers(object) && failures !== undefined && failures > object.spec.fallback!.failureThreshold
}

/** What a formula that gives nil stands for. */
function fallbackTarget({ spec }: o.ScaledObject): number {
  if (!spec.fallback) throw new KedaError('scalingModifiers formula evaluated to nil but no fallback is configured')
  return spec.fallback.replicas * (goFloat(spec.advanced?.scalingModifiers?.target ?? '') ?? 0)
}

/** errors.Join: one below the other. */
function prefixed<T>(prefix: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof KedaError ? new KedaError(`${prefix}\n${error.message}`) : error
  }
}
