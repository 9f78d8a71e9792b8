import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Scenario } from '../scenario.ts'
import type { Files } from './edit.ts'
import { factsOf } from './facts.ts'
import { grammar } from './grammar/index.ts'
import type { Expected, Row } from './row.ts'

/** Files that stand beside the two that are changed, by name. */
export type Beside = Readonly<Record<string, string>>

/** A good platform of a scenario, changed in one place. */
export interface Case {
  readonly scenario: string
  /** The good platform's folder. */
  readonly platform: string
  readonly row: Row
  readonly to: string
  readonly files: Files
  readonly beside: Beside
  readonly expected: Expected
}

export interface Good {
  readonly scenario: string
  readonly platform: string
  readonly files: Files
  readonly beside: Beside
}

const CHANGED: readonly string[] = ['deploy.yaml', 'seatrial.yaml'] satisfies (keyof Files)[]
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
      const text = (name: string) => readFileSync(new URL(`${platform}/${name}`, folder), 'utf8')
      const others = readdirSync(new URL(`${platform}/`, folder)).filter((name) => !CHANGED.includes(name))
      return {
        scenario,
        platform,
        files: { 'deploy.yaml': text('deploy.yaml'), 'seatrial.yaml': text('seatrial.yaml') },
        beside: Object.fromEntries(others.map((name) => [name, text(name)])),
      }
    })
}

/** Every change of the platform, in the order of the grammar; those too near to say are left out. */
export function casesOf({ scenario, platform, files, beside }: Good): Case[] {
  return grammar
    .filter((row) => applies(row, scenario, platform))
    .flatMap((row) =>
      row.changes.flatMap(({ to, edit }) => {
        const changed = edit(files)
        if (!changed) return []
        const { expected: rule } = row
        const expected = typeof rule === 'function' ? rule(factsOf(changed), scenario) : rule
        return expected ? [{ scenario, platform, row, to, files: changed, beside, expected }] : []
      }),
    )
}

function applies(row: Row, scenario: string, platform: string): boolean {
  if (row.except?.includes(scenario)) return false
  if (row.on && !row.on.includes(platform)) return false
  if (row.notOn?.includes(platform)) return false
  return row.in === 'every' || row.in.includes(scenario)
}
