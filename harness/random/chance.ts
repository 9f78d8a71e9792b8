import type { RandomStream } from '../../sandbox/world/random.ts'

/** Choices as generators make them, drawn from one stream. */
export interface Chance {
  /** True with the given probability. */
  yes(probability: number): boolean
  /** An integer from `low` to `high`, both included. */
  whole(low: number, high: number): number
  oneOf<T>(values: readonly T[]): T
  /** The value with the given probability, otherwise undefined. */
  maybe<T>(probability: number, make: () => T): T | undefined
  /** The fields with the given probability, otherwise none: to be spread into an object. */
  fields<T extends object>(probability: number, make: () => T): T | Record<never, never>
  between(low: number, high: number): number
}

export function chanceOf(random: RandomStream): Chance {
  const yes = (probability: number) => random.next() < probability
  return {
    yes,
    whole: (low, high) => low + random.int(high - low + 1),
    oneOf: (values) => values[random.int(values.length)]!,
    maybe: (probability, make) => (yes(probability) ? make() : undefined),
    fields: (probability, make) => (yes(probability) ? make() : {}),
    between: (low, high) => random.between(low, high),
  }
}
