import type { Labels } from '../../querier.ts'

/** Series and queries that both engines answer. Times are Unix milliseconds; values are text, so that NaN and infinities can be said. */
export interface Case {
  readonly name: string
  readonly series: readonly CaseSeries[]
  readonly queries: readonly CaseQuery[]
}

export interface CaseSeries {
  readonly labels: Labels
  readonly times: readonly number[]
  /** `stale` is the marker of staleness. */
  readonly samples: readonly string[]
}

export interface CaseQuery {
  readonly expr: string
  readonly time: number
}

/** What an engine answers; `parse`: it refused the expression without evaluating it. */
export interface Answer {
  readonly type?: string
  readonly samples?: readonly { readonly labels: Labels; readonly value: string }[]
  readonly value?: string
  readonly error?: string
  readonly parse?: boolean
  /** Ours only: valid PromQL that is refused by name. */
  readonly refused?: boolean
}

/** As Go prints a float in full. */
export const goFloat = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'

export const fromGoFloat = (text: string): number =>
  text === '+Inf' || text === 'Inf'
    ? Number.POSITIVE_INFINITY
    : text === '-Inf'
      ? Number.NEGATIVE_INFINITY
      : Number(text)
