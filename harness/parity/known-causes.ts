import type { Because, Difference } from './comparison.ts'

/** Why two tiers decide differently, and where. */
interface KnownCause {
  /** Left out: in every one. */
  readonly scenario?: string
  readonly stream: string
  readonly what: RegExp
  readonly sort?: Difference['sort']
  readonly why: string
}

/** Each was looked at: the text says what decides otherwise and why that is no fault of the simulation. */
export const knownCauses: readonly KnownCause[] = [
  {
    stream: 'scaling',
    what: /^HorizontalPodAutoscaler\/\S+ AbleToScale=True (ReadyForNewScale|ScaleDownStabilized)$/,
    why: 'While a metric is near a step of the replica count this reason changes from one look of the HPA to the next, and replicas do not. The two look at other instants of the same load.',
  },
]

export function knownCause(scenario: string, difference: Difference): Because | undefined {
  const known = knownCauses.find(
    (cause) =>
      (cause.scenario ?? scenario) === scenario &&
      cause.stream === difference.stream &&
      (cause.sort ?? difference.sort) === difference.sort &&
      cause.what.test(difference.what),
  )
  return known && { sort: 'known', text: known.why }
}
