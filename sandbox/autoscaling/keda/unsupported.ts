import type * as o from '../../kube/objects.ts'
import { compileFormula } from './formula/formula.ts'
import { UnsupportedFormulaError } from './formula/syntax.ts'

/** Trigger types that are modelled. */
export const TRIGGER_TYPES = ['cpu', 'memory', 'prometheus', 'cron'] as const

/** What of a ScaledObject cannot be modelled, by name: `trigger kafka (spec.triggers[1])`. Empty: all can. */
export function unsupportedTriggers(object: Pick<o.ScaledObject, 'spec'>): string[] {
  const found: string[] = []
  const triggers = object.spec?.triggers ?? []
  triggers.forEach(({ type, metadata }, i) => {
    const at = `spec.triggers[${i}]`
    if (!TRIGGER_TYPES.some((known) => known === type)) found.push(`trigger ${type} (${at})`)
    if (type !== 'prometheus') return
    for (const name of ['namespace', 'queryParameters'])
      if (metadata?.[name]) found.push(`trigger prometheus with metadata.${name} (${at})`)
  })
  const formula = object.spec?.advanced?.scalingModifiers?.formula
  if (!formula) return found
  try {
    compileFormula(formula, undefined)
  } catch (error) {
    if (error instanceof UnsupportedFormulaError)
      found.push(`${error.construct} in a formula (spec.advanced.scalingModifiers.formula)`)
  }
  return found
}
