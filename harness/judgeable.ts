import type { Broken } from './expectations/check.ts'
import type { FieldChange, RemedyContext } from './remedies/remedy.ts'
import type { Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'
import type { Invalid } from './verdict/verdict.ts'

/** One inference server of a platform, ready to be tried with inputs as they are or otherwise. */
export interface Judgeable {
  /** `namespace/name` of its workload. */
  readonly key: string
  /** Why a scenario cannot be run on it; undefined: it can. */
  unfitFor(scenario: Scenario): string | undefined
  /** Kinds and fields around it that this tier has no actor for. */
  readonly unmodelled: readonly Invalid[]
  /** Inputs nobody gave, with the ends of their ranges. */
  readonly assumed: readonly AssumedInput[]
  prepare(overrides: Overrides): Promise<Setup>
  inputValue(input: 'loadTime'): { value: string; scaled: (factor: number) => string }
  remedyContext(broken: Broken): RemedyContext
  sourceOf(path: string): { file: string; line: number; column: number; absent?: boolean } | undefined
}

export interface AssumedInput {
  /** `load time`, `spare nodes`. */
  readonly name: string
  readonly value: string
  readonly ends: readonly { readonly value: string; readonly overrides: Overrides }[]
  /** How to give or measure it. */
  readonly howToGive: string
}

/** What a trial changes about the inputs as they are. */
export interface Overrides {
  readonly loadTimeUs?: number
  readonly moreNodes?: number
  readonly imageBytes?: number
  readonly requestsPerSecond?: number
  readonly registryBytesPerSecond?: number
  readonly changes?: readonly FieldChange[]
}
