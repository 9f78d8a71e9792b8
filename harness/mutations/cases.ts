import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Scenario } from '../scenario.ts'
import type { Files } from './edit.ts'
import { factsOf } from './facts.ts'
import { grammar } from './grammar/index.ts'
import type { Expected, Row } from './row.ts'

/** A good platform of a scenario, changed in one place. */
export interface Case {
  readonly scenario: string
  /** The good platform's folder. */
  readonly platform: string
  readonly row: Row
  readonly to: string
  readonly files: Files
  readonly expected: Expected
}

export interface Good {
  readonly scenario: string
  readonly platform: string
  readonly files: Files
}

const FOLDER = new URL('../../scenarios/', import.meta.url)

/** Scenarios are above the harness: what runs mutations of their samples reads them like data. */
export async function readScenarios(): Promise<readonly Scenario[]> {
  const { scenarios } = (await import(new URL('index.ts', FOLDER).href)) as { scenarios: readonly Scenario[] }
  return scenarios
}

/** The good sample platforms of a scenario, by name. */
export function goodOf(scenario: string): Good[] {
  const folder = new URL(`${scenario}/good/`, FOLDER)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((platform) => {
      const text = (name: keyof Files) => readFileSync(new URL(`${platform}/${name}`, folder), 'utf8')
      return {
        scenario,
        platform,
        files: { 'deploy.yaml': text('deploy.yaml'), 'seatrial.yaml': text('seatrial.yaml') },
      }
    })
}

/** Every change of the platform, in the order of the grammar; those too near to say are left out. */
export function casesOf({ scenario, platform, files }: Good): Case[] {
  return grammar
    .filter((row) => applies(row, scenario, platform))
    .flatMap((row) =>
      row.changes.flatMap(({ to, edit }) => {
        const changed = edit(files)
        if (!changed) return []
        const { expected: rule } = row
        const expected = typeof rule === 'function' ? rule(factsOf(changed), scenario) : rule
        return expected ? [{ scenario, platform, row, to, files: changed, expected }] : []
      }),
    )
}

function applies(row: Row, scenario: string, platform: string): boolean {
  if (row.except?.includes(scenario)) return false
  if (row.on && !row.on.includes(platform)) return false
  return row.in === 'every' || row.in.includes(scenario)
}
