import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A platform that shows a scenario. */
export interface SampleFolder {
  readonly sort: 'good' | 'bad' | 'decoy'
  /** `good/two-nodes`. */
  readonly name: string
  readonly folder: string
}

/** The sample platforms of a scenario, good ones before bad ones before decoys; none where they are not installed. */
export function sampleFolders(slug: string): SampleFolder[] {
  const root = fileURLToPath(new URL(`./${slug}/`, import.meta.url))
  return (['good', 'bad', 'decoy'] as const).flatMap((sort) =>
    existsSync(`${root}${sort}`)
      ? readdirSync(`${root}${sort}`)
          .sort()
          .map((name) => ({ sort, name: `${sort}/${name}`, folder: `${root}${sort}/${name}` }))
      : [],
  )
}
