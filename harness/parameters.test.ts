import { describe, expect, it } from 'vitest'
import { checkParameters, withParameters } from './parameters.ts'
import { parseConfig } from './platform/config/parse.ts'
import { PlatformErrors } from './platform/errors.ts'
import { LIMITS } from './platform/limits.ts'
import type { Scenario } from './scenario.ts'

const scenario = {
  slug: 's',
  parameters: {
    within: { default: '5m', what: 'how long it may take' },
    share: { default: 2, what: 'times the load' },
  },
  after: [{ within: '$within', goal: { check: 'x', of: '$share', text: 'costs $5' } }],
} as unknown as Scenario

function errorsOf(text: string): string[] {
  const { config } = parseConfig({ file: 'seatrial.yaml', text }, LIMITS)
  try {
    checkParameters(config, [scenario])
    return []
  } catch (error) {
    if (!(error instanceof PlatformErrors)) throw error
    return error.errors.map(({ message, line, column }) => `${message} ${line}:${column}`)
  }
}

describe('parameters', () => {
  it('have their defaults, and what the platform gives', () => {
    expect(withParameters(scenario).after).toEqual([{ within: '5m', goal: { check: 'x', of: 2, text: 'costs $5' } }])
    expect(withParameters(scenario, { s: { within: '9m' } }).after[0]).toMatchObject({ within: '9m' })
  })

  it.each([
    ['scenarios: {s: {within: 9m}}', []],
    ['scenarios: {t: {within: 9m}}', ['there is no scenario "t" 1:16']],
    ['scenarios: {s: {witin: 9m}}', ['s has no parameter "witin" 1:24']],
    ['scenarios: {s: {within: nine}}', ['within is how long it may take, like 5m, not "nine" 1:25']],
    ['scenarios: {s: {share: 3x}}', ['share is times the load, like 2, not "3x" 1:24']],
  ])('%s', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors)
  })
})
