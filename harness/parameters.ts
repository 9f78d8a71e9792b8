import { parseDuration } from '../sandbox/world/time.ts'
import { type ConfigValues, configSource, type SeatrialConfig } from './platform/config/config.ts'
import { PlatformError, PlatformErrors } from './platform/errors.ts'
import { suggest } from './platform/suggest.ts'
import type { Scenario } from './scenario.ts'

/** A figure of a scenario that a platform may set under `scenarios:` in seatrial.yaml; `$name` stands for it in the scenario. */
export interface Parameter {
  readonly default: string | number
  /** `how long a drain may take`. */
  readonly what: string
  /** The default is a word; any other value is a duration. */
  readonly orDuration?: boolean
}

/** The scenario with its parameters' values where their names stand: the platform's, or the defaults. */
export function withParameters(scenario: Scenario, given: ConfigValues['scenarios'] = {}): Scenario {
  const { parameters = {} } = scenario
  const values = Object.fromEntries(
    Object.entries(parameters).map(([name, { default: usual }]) => [name, given[scenario.slug]?.[name] ?? usual]),
  )
  return Object.keys(parameters).length === 0 ? scenario : (replaced(scenario, values) as Scenario)
}

function replaced(node: unknown, values: Record<string, unknown>): unknown {
  if (typeof node === 'string') return node.startsWith('$') && node.slice(1) in values ? values[node.slice(1)] : node
  if (Array.isArray(node)) return node.map((item) => replaced(item, values))
  if (node === null || typeof node !== 'object') return node
  return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replaced(item, values)]))
}

/** Throws PlatformErrors for scenarios and parameters that are not there, and for values of another sort than the default. */
export function checkParameters(config: SeatrialConfig | undefined, scenarios: readonly Scenario[]): void {
  if (!config) return
  const errors = Object.entries(config.scenarios ?? {}).flatMap(([slug, given]) => {
    const scenario = scenarios.find((one) => one.slug === slug)
    if (!scenario)
      return [
        wrong(
          config,
          [slug],
          `there is no scenario "${slug}"`,
          slug,
          scenarios.map((one) => one.slug),
        ),
      ]
    const known = Object.keys(scenario.parameters ?? {})
    return Object.entries(given).flatMap(([name, value]) => {
      const parameter = scenario.parameters?.[name]
      if (!parameter) return [wrong(config, [slug, name], `${slug} has no parameter "${name}"`, name, known)]
      return isLike(value, parameter)
        ? []
        : [
            wrong(
              config,
              [slug, name],
              `${name} is ${parameter.what}, like ${parameter.default}, not ${JSON.stringify(value)}`,
              name,
              known,
            ),
          ]
    })
  })
  if (errors.length > 0) throw new PlatformErrors(errors)
}

function wrong(
  config: SeatrialConfig,
  path: readonly string[],
  what: string,
  name: string,
  known: readonly string[],
): PlatformError {
  const near = suggest(name, known)
  return new PlatformError('BAD_CONFIG', what, {
    why: known.length === 0 ? 'It has no parameters.' : `Known: ${known.join(', ')}.`,
    fix: near && near !== name ? `Did you mean ${near}?` : 'Look at «seatrial scenarios --describe».',
    at: configSource(config, ['scenarios', ...path]),
  })
}

/** A number for a number, a duration for a duration. */
function isLike(value: unknown, { default: usual, orDuration }: Parameter): boolean {
  if (typeof usual === 'number') return typeof value === 'number' && Number.isFinite(value) && value >= 0
  if (typeof value !== 'string') return false
  if (orDuration) return value === usual || durationOf(value) > 0
  return Number.isNaN(durationOf(usual)) || durationOf(value) > 0
}

/** In microseconds; NaN for what is no duration. */
function durationOf(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    return Number.NaN
  }
}
