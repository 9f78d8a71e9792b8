import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison } from './comparison.ts'

/** `node-lost.good.two-nodes.json`. */
export const resultFile = ({ scenario, sample }: Pick<Comparison, 'scenario' | 'sample'>): string =>
  `${scenario}.${sample.replaceAll('/', '.')}.json`

/** Writes a comparison into a folder, which is made where it is not there: whole or not at all. */
export function keepResult(folder: string, comparison: Comparison): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, resultFile(comparison))
  writeFileSync(`${file}.part`, `${JSON.stringify(comparison, null, 1)}\n`)
  renameSync(`${file}.part`, file)
  return file
}

/** All that a folder keeps, in the order of names. */
export function keptResults(folder: string): Comparison[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Comparison)
}
