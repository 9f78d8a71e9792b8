import type { Overrides } from '../judgeable.ts'
import type { DecideOptions } from './attempt.ts'
import type { Outcome, TrialResult } from './verdict.ts'

/** How far an input is from the point where the verdict flips. */
export interface MarginResult {
  readonly input: string
  /** The largest factor that still passed, and the smallest that did not. Undefined: nothing broke up to `triedTo`. */
  readonly holdsAt: number
  readonly breaksAt?: number
  readonly triedTo: number
  readonly probes: readonly { factor: number; outcome: Outcome }[]
  /** The input's value at the breaking point and as it is, in words: `612 s`. */
  readonly breaksAtValue?: string
  readonly value: string
}

/** The breaking point is told apart to this share. */
const RESOLUTION = 0.01

/** Raises the input until a trial no longer passes, then narrows it down by halving. One seed is enough. */
export async function findBreakingPoint(
  { scenario, judgeable, seeds }: DecideOptions,
  run: (seed: number, overrides: Overrides) => Promise<TrialResult>,
): Promise<MarginResult | undefined> {
  const { margin } = scenario
  if (!margin) return undefined
  const input = judgeable.inputTimes(margin.input)
  const outcomeAt = async (factor: number) => (await run(seeds[0]!, input.overrides(factor))).outcome
  const probes: { factor: number; outcome: Outcome }[] = []
  for (const factor of margin.probe) probes.push({ factor, outcome: await outcomeAt(factor) })
  let holdsAt = Math.max(1, ...probes.filter((p) => p.outcome === 'PASS').map((p) => p.factor))
  let breaksAt = probes.find((p) => p.outcome !== 'PASS' && p.factor > holdsAt)?.factor
  if (breaksAt === undefined && (await outcomeAt(margin.max)) !== 'PASS') breaksAt = margin.max
  if (breaksAt !== undefined) {
    while (breaksAt - holdsAt > RESOLUTION) {
      const middle: number = (holdsAt + breaksAt) / 2
      if ((await outcomeAt(middle)) === 'PASS') holdsAt = middle
      else breaksAt = middle
    }
  }
  return {
    input: margin.input,
    holdsAt,
    breaksAt,
    triedTo: margin.max,
    probes,
    value: input.value,
    breaksAtValue: breaksAt === undefined ? undefined : input.text(holdsAt),
  }
}
