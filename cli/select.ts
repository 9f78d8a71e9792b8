import type { Judgeable } from '../harness/judgeable.ts'
import { suggest } from '../harness/platform/suggest.ts'
import type { Scenario } from '../harness/scenario.ts'
import { exitCodes } from './exit-codes.ts'
import { UsageError } from './failure.ts'

/** The scenarios of the given names, in their own order; all when none is named. */
export function selectScenarios(all: readonly Scenario[], names: readonly string[] = []): readonly Scenario[] {
  for (const name of names) {
    if (all.some((s) => s.slug === name)) continue
    const near = suggest(
      name,
      all.map((s) => s.slug),
    )
    throw new UsageError(
      'UNKNOWN_SCENARIO',
      `there is no scenario «${name}»`,
      near ? `Did you mean ${near}? «seatrial scenarios» lists them all.` : '«seatrial scenarios» lists them all.',
    )
  }
  return names.length === 0 ? all : all.filter((s) => names.includes(s.slug))
}

/** The inference servers of the given names (`chat` or `prod/chat`). */
export function selectTargets(all: readonly Judgeable[], names: readonly string[] = []): readonly Judgeable[] {
  const named = (judgeable: Judgeable, name: string) => judgeable.key === name || judgeable.key.endsWith(`/${name}`)
  for (const name of names) {
    if (all.some((j) => named(j, name))) continue
    throw new UsageError(
      'UNKNOWN_TARGET',
      `there is no inference server «${name}» in these manifests`,
      `Found: ${all.map((j) => j.key).join(', ') || 'none'}.`,
      exitCodes.nothingSelected,
    )
  }
  return names.length === 0 ? all : all.filter((j) => names.some((name) => named(j, name)))
}

/** The target that is named; the only one where none is. Throws a UsageError where there are several. */
export function selectTarget(all: readonly Judgeable[], name: string | undefined): Judgeable {
  const chosen = selectTargets(all, name ? [name] : [])
  if (chosen.length > 1)
    throw new UsageError(
      'WHICH_TARGET',
      `there are ${chosen.length} inference servers`,
      `Name one: --target ${chosen.map(({ key }) => key).join(' or --target ')}`,
    )
  return chosen[0]!
}
