import {
  compareVersions,
  flagTable,
  flagTableVersions,
  nearestVersion,
  type VllmFlagTable,
} from '../../../fixtures/vllm/index.ts'
import type { VllmImage } from './image.ts'

/** Which vLLM an image holds, and which table of flags stands for it. */
export interface VllmVersion {
  /** As the tag says; the table's when the tag says nothing. */
  readonly version: string
  readonly table: VllmFlagTable
  /**
   * `exact`: a table of this very version. `nearest`: one of the same minor version, else the next older. `newer`, `older`: beyond the tables, the last or
   * the first is assumed. `latest`: a moving tag, the newest is assumed. `unknown`: the tag is no version of vLLM.
   */
  readonly basis: 'exact' | 'nearest' | 'newer' | 'older' | 'latest' | 'unknown'
  /** True where the flags of another version stand in for ones not known. */
  readonly assumed: boolean
  /** One line for people. */
  readonly note: string
}

/** An image of which somebody knows better than its tag which vLLM it holds. */
export const withVersion = (image: VllmImage | undefined, version: string | undefined): VllmImage | undefined =>
  version === undefined ? image : { repository: '', platform: 'cuda', ...image, tag: version, tagIsVersion: true }

const MOVING_TAGS = /^(latest|nightly|main|stable|dev)\b/

/** Reads the version out of an image's tag. */
export function versionOf(image: VllmImage | undefined): VllmVersion {
  const versions = flagTableVersions()
  const newest = versions[versions.length - 1]!
  const tag = image?.tag
  const number = image?.tagIsVersion ? /^v?(\d+\.\d+\.\d+(?:\.post\d+)?)/.exec(tag ?? '')?.[1] : undefined
  if (number === undefined) {
    const moving = tag === undefined ? image !== undefined && image.digest === undefined : MOVING_TAGS.test(tag)
    return assume(newest, moving ? 'latest' : 'unknown', `tag "${tag ?? '(none)'}" names no version of vLLM`)
  }
  if (compareVersions(number, newest) > 0)
    return { ...assume(newest, 'newer', 'newer than any table'), version: number }
  const lower = nearestVersion(number, versions)
  if (lower === undefined) return { ...assume(versions[0]!, 'older', 'older than any table'), version: number }
  const exact = compareVersions(lower, number) === 0
  return {
    version: number,
    table: flagTable(lower),
    basis: exact ? 'exact' : 'nearest',
    assumed: false,
    note: exact ? `vLLM ${number}` : `vLLM ${number}, read with the flags of ${lower}`,
  }
}

/** Whether the table after this one knows an argument: then a nearest table cannot tell that it is unknown. */
export function nextTableKnows(version: VllmVersion, flag: string): boolean {
  const versions = flagTableVersions()
  const next = versions[versions.indexOf(version.table.version) + 1]
  const name = flag.replaceAll('_', '-')
  return (
    next !== undefined && Object.entries(flagTable(next).flags).some(([key, f]) => (f.options ?? [key]).includes(name))
  )
}

function assume(version: string, basis: VllmVersion['basis'], why: string): VllmVersion {
  return {
    version,
    table: flagTable(version),
    basis,
    assumed: true,
    note: `${why}: the flags of vLLM ${version} are assumed`,
  }
}
