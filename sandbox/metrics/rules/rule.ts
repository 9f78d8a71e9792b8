import type { Us } from '../../world/time.ts'
import type { Labels } from '../querier.ts'

/** Writes the result of an expression as a new series. */
export interface RecordingRule {
  readonly kind: 'recording'
  readonly record: string
  readonly expr: string
  readonly labels: Labels
}

/** Raises an alert for each element of an expression's result. Labels and annotations are templates. */
export interface AlertingRule {
  readonly kind: 'alerting'
  readonly alert: string
  readonly expr: string
  /** How long the expression must hold before the alert fires. */
  readonly for: Us
  /** How long a firing alert goes on after the expression has ceased to hold. */
  readonly keepFiringFor: Us
  readonly labels: Labels
  readonly annotations: Labels
}

export type Rule = RecordingRule | AlertingRule

/** Rules evaluated one after the other, each seeing what those before it wrote. */
export interface RuleGroup {
  readonly name: string
  /** Where it comes from: part of its identity. */
  readonly file: string
  /** Undefined: the manager's. */
  readonly interval: Us | undefined
  /** How far in the past expressions are evaluated. */
  readonly queryOffset: Us
  /** Results of one rule above this number are an error; 0: no limit. */
  readonly limit: number
  readonly rules: readonly Rule[]
}

/** Rules that cannot be loaded. The message says which, why, in Prometheus' words, and what to do. */
export class RuleError extends Error {
  override readonly name = 'RuleError'
  readonly code: 'RULES_INVALID' | 'RULES_UNSUPPORTED'

  constructor(code: RuleError['code'], message: string) {
    super(message)
    this.code = code
  }
}
