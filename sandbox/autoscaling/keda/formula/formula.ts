import { KedaError } from '../errors.ts'
import { checkFormula } from './check.ts'
import { evaluate, typeName, type Value } from './evaluate.ts'
import { parseFormula } from './parser.ts'

/** A formula made ready to run over the values of named triggers; a value is null where its trigger fails and falls back. */
export interface Formula {
  /** The result, or null. Throws a KedaError. */
  run(values: Readonly<Record<string, number | null>>): number | null
}

/**
 * Reads a formula over triggers of these names; undefined: of any names. Throws a KedaError where KEDA would refuse it and an
 * UnsupportedFormulaError where it cannot be modelled.
 */
// follows apis/keda/v1alpha1/scaledobject_webhook.go ValidateAndCompileScalingModifiers
export function compileFormula(formula: string, triggerNames: readonly string[] | undefined): Formula {
  const text = castToFloat(formula)
  const node = parseFormula(text)
  if (triggerNames) {
    checkFormula(node, Object.fromEntries(triggerNames.map((name) => [name, 'float64' as const])), text)
    evaluate(node, Object.fromEntries(triggerNames.map((name) => [name, -1])), text)
  }
  return { run: (values) => resultOf(evaluate(node, values, text)) }
}

const COALESCED = 'let _kedaCompositeResult = '

/** Follows castToFloatIfNecessary. */
function castToFloat(formula: string): string {
  if (formula.includes('??')) {
    if (formula.startsWith(COALESCED)) return formula
    return `${COALESCED}(${formula}); _kedaCompositeResult == nil ? nil : float(_kedaCompositeResult)`
  }
  return formula.startsWith('float(') ? formula : `float(${formula})`
}

function resultOf(value: Value): number | null {
  if (value === null || typeof value === 'number') return value
  throw new KedaError(`formula returned non-float result ${typeName(value)} (${shown(value)})`)
}

const shown = (value: Value): string =>
  typeof value === 'object' && value !== null && 'int' in value
    ? String(value.int)
    : Array.isArray(value)
      ? `[${value.map(shown).join(' ')}]`
      : String(value)
