import { createHash } from 'node:crypto'
import type { AlertRemark } from '../alerts/survey.ts'
import type { ListedInput } from '../platform/inputs/list.ts'
import type { Platform } from '../platform/platform.ts'
import type { Verdict } from '../verdict/decide.ts'
import type { WaiverRemark } from '../waivers/waivers.ts'

/** What is going to be tried, and with what. */
export interface Overview {
  readonly version: string
  readonly name: string
  readonly tier: string
  readonly seeds: readonly number[]
  readonly servers: readonly string[]
  /** `4 × 8 H100`. */
  readonly nodes: string
  readonly scenarios: readonly string[]
  readonly assumed: readonly { readonly name: string; readonly value: string; readonly howToGive: string }[]
  readonly notes: readonly string[]
  /** Alerts that can never fire, each with its place. */
  readonly alerts?: readonly AlertRemark[]
}

/** How many verdicts there are of each sort. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly invalid: number
  readonly skipped: number
  readonly unstable: number
  readonly waived: number
  readonly tookMs: number
}

/** An input as a run had it. `text` is for people. */
export interface RecordedInput extends Pick<ListedInput, 'key' | 'name'> {
  readonly origin: string
  readonly text: string
  readonly value: unknown
}

/** Everything one `verify` said, and what it was said of. */
export interface RunContent {
  readonly overview: Overview
  readonly paths: readonly string[]
  readonly verdicts: readonly { readonly verdict: Verdict; readonly tookMs: number }[]
  readonly waivers: readonly WaiverRemark[]
  readonly totals: Totals
  readonly inputs: readonly RecordedInput[]
  readonly manifests: readonly { readonly file: string; readonly sha256: string }[]
}

/** A run as it is kept. */
export interface Run extends RunContent {
  readonly schemaVersion: typeof RUN_SCHEMA_VERSION
  /** Of the content without the wall's time: the same trials of the same manifests have the same. */
  readonly id: string
  /** ISO 8601. */
  readonly createdAt: string
}

export const RUN_SCHEMA_VERSION = 1

/** `createdAt`: the wall's time, from the edge that knows it. */
export function runOf(content: RunContent, createdAt: string): Run {
  const timeless = {
    ...content,
    verdicts: content.verdicts.map(({ verdict }) => verdict),
    totals: { ...content.totals, tookMs: 0 },
  }
  return { schemaVersion: RUN_SCHEMA_VERSION, id: sha256(JSON.stringify(timeless)).slice(0, 12), createdAt, ...content }
}

/** The files a platform was read from, with their digests. */
export function digestsOf({ objects, config }: Platform): RunContent['manifests'] {
  const sources = [...objects.map(({ parsed }) => parsed.source), ...(config ? [config.parsed.source] : [])]
  const texts = new Map(sources.map(({ file, text }) => [file, text]))
  return [...texts].map(([file, text]) => ({ file, sha256: sha256(text) }))
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
