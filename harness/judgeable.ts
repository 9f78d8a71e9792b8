import type { NodeGroup } from '../sandbox/tiers/tier.ts'
import type { Us } from '../sandbox/world/time.ts'
import type { Broken } from './expectations/check.ts'
import type { LengthDistribution } from './load/lengths.ts'
import type { PlaceForFile } from './platform/add.ts'
import type { TextFile } from './platform/read.ts'
import type { FieldChange, RemedyContext } from './remedies/remedy.ts'
import type { Need, Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'
import type { Source } from './verdict/finding.ts'
import type { Invalid, TrialResult } from './verdict/verdict.ts'

/** One inference server of a platform, ready to be tried with inputs as they are or otherwise. */
export interface Judgeable {
  /** `namespace/name` of its workload. */
  readonly key: string
  /** The scenario with the figures the platform gives it. */
  withParameters(scenario: Scenario): Scenario
  /** Why a scenario cannot be run on it; undefined: it can. */
  unfitFor(scenario: Scenario): string | undefined
  /** What keeps a scenario's verdict from being given: kinds and fields without an actor, a model nobody knows. */
  blockersFor(scenario: Scenario): readonly Invalid[]
  /** What keeps this result from being trusted although the trial ran: it rests on an estimate that may be wrong. */
  doubtOf(result: TrialResult): Invalid | undefined
  /** What was taken on trust, one line each. */
  readonly taken: readonly string[]
  /** Inputs that may be others: assumed, or given with a range. */
  readonly uncertain: readonly UncertainInput[]
  prepare(overrides: Overrides): Setup
  /** An input in words, and what it is times a factor. */
  inputTimes(input: 'loadTime'): {
    value: string
    text: (factor: number) => string
    overrides: (factor: number) => Overrides
  }
  remedyContext(broken: Broken, scenario: Scenario): RemedyContext
  /** The server among its platform with these changes. Throws PlatformErrors where what is added would be refused. */
  changed(overrides: Pick<Overrides, 'changes' | 'adds'>): Judgeable
  /** Where a file of that name would go, beside the server's own manifest. */
  placeBeside(name: string): PlaceForFile
  /** Where a field stands: of the subject's manifest, or of the object with that id. */
  sourceOf(path: string, object?: string): Omit<Source, 'path' | 'says'>
}

export interface UncertainInput {
  /** `load time`, `nodes`. */
  readonly name: string
  readonly origin: 'given' | 'measured' | 'assumed'
  readonly value: string
  /** The ends of its range, the more favourable one first. */
  readonly ends: readonly [InputEnd, InputEnd]
  /** It enters only what these checks judge; left out: any verdict. */
  readonly judgedBy?: readonly string[]
  /** It enters only scenarios that need this role; left out: any. */
  readonly forRole?: Need['role']
  /** How to give or measure it. */
  readonly howToGive: string
}

export interface InputEnd {
  readonly value: string
  readonly overrides: Overrides
}

/** What a trial changes about the inputs as they are. */
export interface Overrides {
  readonly nodes?: readonly NodeGroup[]
  readonly moreNodes?: number
  readonly loadTimeUs?: Us
  readonly imageBytes?: number
  /** Run times of init containers, by `initKey`. */
  readonly initTimesUs?: Readonly<Record<string, Us>>
  readonly registryBytesPerSecond?: number
  readonly requestsPerSecond?: number
  readonly promptTokens?: LengthDistribution
  readonly outputTokens?: LengthDistribution
  readonly idleCpuCores?: number
  /** Until a bought machine is a node, and from there until its GPUs are there. */
  readonly joinUs?: Us
  readonly gpusUs?: Us
  readonly availability?: number
  readonly ttftP95Us?: Us
  readonly tpotP95Us?: Us
  readonly changes?: readonly FieldChange[]
  /** Files with objects that the platform has not. */
  readonly adds?: readonly TextFile[]
}
