import type { Us } from '../world/time.ts'

/** One line of an exposition: `name{labels} value`. Labels are in alphabetical order. */
export interface Sample {
  readonly name: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
  /** When it was measured, of exporters that say so (cAdvisor). */
  readonly at?: Us
}

/** Samples of one name as Prometheus groups them. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'
  readonly samples: readonly Sample[]
}
