import type { AskedGpus } from '../../harness/staying/node-groups.ts'
import type { Us } from '../../sandbox/world/time.ts'

/** What `up` asks its background process for, as the first line on its standard input. */
export interface UpRequest {
  readonly cwd: string
  readonly paths: readonly string[]
  /** What `-` among the paths reads. */
  readonly stdin?: string
  readonly config?: string
  readonly render?: boolean
  readonly nodes?: number
  readonly gpu?: AskedGpus
  readonly qps?: number
  readonly loadTimeUs?: Us
}

/** What it answers, a line each. */
export type UpAnswer =
  | { readonly progress: string }
  /** A part is done; `ms` since the one before. */
  | { readonly done: string; readonly ms: number }
  | { readonly up: true; readonly upMs: number }
  /** It has heard STAY. */
  | { readonly stays: true }
  /** What stderr is to show, and the exit code. */
  | { readonly failed: string; readonly exitCode: number }

/** What the second line says once `up` has heard that all is up; input that ends before means that nobody waits any more. */
export const STAY = 'stay'
