import { existsSync } from 'node:fs'
import { judgePlatform } from '../harness/judge-platform.ts'
import type { Judgeable } from '../harness/judgeable.ts'
import { type ParityCase, type ParityOptions, type ParitySide, tryOn } from '../harness/parity/trials.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import type { Platform } from '../harness/platform/platform.ts'
import type { Scenario } from '../harness/scenario.ts'
import { type LagProfile, lagProfiles } from '../sandbox/kube/lag.ts'
import { scenarios as all } from '../scenarios/index.ts'
import { type SampleFolder, sampleFolders } from '../scenarios/sample-folders.ts'
import { exitCodes } from './exit-codes.ts'
import { UsageError } from './failure.ts'
import { type LoadOptions, load, nothingToJudge } from './load.ts'
import { selectScenarios } from './select.ts'
import { tierForTrials } from './tiers.ts'

export interface WhatToCompare {
  readonly scenarios: readonly Scenario[]
  /** Of the user's own platform; none: the scenarios' samples. */
  readonly paths: readonly string[]
  /** Samples that were named; none: by the option. */
  readonly samples: readonly Sample[]
}

interface Sample extends SampleFolder {
  readonly scenario: Scenario
}

/** Tells names of scenarios and samples (`node-lost/bad/one-replica`) from paths. Throws a UsageError for what is none of them. */
export function whatIsAsked(words: readonly string[]): WhatToCompare {
  const known = all.flatMap(samplesOf)
  const samples = known.filter(({ scenario, name }) => words.includes(`${scenario.slug}/${name}`))
  const isSample = (word: string) => samples.some(({ scenario, name }) => word === `${scenario.slug}/${name}`)
  const isPath = (word: string) => word === '-' || (!all.some(({ slug }) => slug === word) && existsSync(word))
  const others = words.filter((word) => !isSample(word))
  const scenarios = selectScenarios(
    all,
    others.filter((word) => !isPath(word)),
  )
  return { scenarios, paths: others.filter(isPath), samples }
}

const samplesOf = (scenario: Scenario): Sample[] =>
  sampleFolders(scenario.slug).map((folder) => ({ ...folder, scenario }))

/** `sim,local`, each perhaps with a lag profile after a colon. */
export async function sidesOf(text: string, lag: LagProfile): Promise<readonly [ParitySide, ParitySide]> {
  const words = text.split(',')
  if (words.length !== 2)
    throw new UsageError(
      'BAD_OPTION',
      `--tiers: two tiers are compared, not ${words.length}`,
      'For example: --tiers sim,local',
    )
  const sides = await Promise.all(words.map((word) => sideOf(word, lag)))
  return [sides[0]!, sides[1]!]
}

async function sideOf(label: string, lag: LagProfile): Promise<ParitySide> {
  const [name = '', profile] = label.split(':')
  const own = profile === undefined ? lag : lagProfiles.find((one) => one.name === profile)
  if (!own)
    throw new UsageError(
      'BAD_OPTION',
      `--tiers: there is no lag profile «${profile}»`,
      `There are: ${lagProfiles.map((one) => one.name).join(', ')}.`,
    )
  return { label, tier: await tierForTrials(name), lag: own, virtual: name === 'sim' }
}

/** Every scenario that fits, on every inference server of the given manifests. */
export async function casesOf({ scenarios, paths }: WhatToCompare, options: LoadOptions): Promise<ParityCase[]> {
  const { platform, judgeables } = await load(paths, options)
  if (judgeables.length === 0) throw nothingToJudge(platform)
  const on = judgedBy(platform)
  return judgeables.flatMap((judgeable) =>
    scenarios
      .filter((scenario) => judgeable.unfitFor(scenario) === undefined)
      .map((scenario) => ({
        scenario,
        sample: judgeable.key,
        on: (side) => on(side).find(({ key }) => key === judgeable.key)!,
      })),
  )
}

/** The samples that were named, else of the scenarios: all, or the good and the bad ones. */
export async function sampleCases({ scenarios, samples }: WhatToCompare, which: 'all' | 'one'): Promise<ParityCase[]> {
  const found = samples.length > 0 ? samples : scenarios.flatMap(samplesOf)
  if (found.length === 0)
    throw new UsageError(
      'NO_SAMPLES',
      'the scenarios’ sample platforms are not installed here',
      'Give manifests: npx seatrial parity deploy/',
      exitCodes.nothingSelected,
    )
  const wanted = which === 'all' || samples.length > 0 ? found : found.filter(({ sort }) => sort !== 'decoy')
  return await Promise.all(
    wanted.map(async ({ scenario, name, folder }) => {
      const on = judgedBy(await loadPlatform({ paths: ['.'], cwd: folder }))
      return { scenario, sample: name, on: (side: ParitySide) => on(side)[0]! }
    }),
  )
}

/** Of each scenario the good and the bad sample whose trial is the shortest; the first ones where no tier tells that at once. */
export async function shortestOf(cases: readonly ParityCase[], { sides, seed }: ParityOptions): Promise<ParityCase[]> {
  const quick = sides.find(({ virtual }) => virtual)
  const best = new Map<string, { of: ParityCase; lastedUs: number }>()
  for (const of of cases) {
    const group = `${of.scenario.slug} ${of.sample.split('/')[0]}`
    if (!quick && best.has(group)) continue
    const lastedUs = quick ? (await tryOn(of, quick, seed)).result.simulatedUs : 0
    if (lastedUs < (best.get(group)?.lastedUs ?? Number.POSITIVE_INFINITY)) best.set(group, { of, lastedUs })
  }
  return [...best.values()].map(({ of }) => of)
}

/** A platform's servers as a side judges them, worked out once for each side. */
function judgedBy(platform: Platform): (side: ParitySide) => readonly Judgeable[] {
  const known = new Map<ParitySide, readonly Judgeable[]>()
  return (side) => {
    const { tier, lag } = side
    const judged = known.get(side) ?? judgePlatform(platform, { capabilities: tier.capabilities, lag }).judgeables
    known.set(side, judged)
    return judged
  }
}
