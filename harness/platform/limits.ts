/** How much one reads before one says that it cannot be a platform. */
export interface Limits {
  readonly fileBytes: number
  readonly totalBytes: number
  readonly entries: number
  readonly documents: number
  /** Levels of maps and lists within a document. */
  readonly depth: number
  /** Values that aliases (`*name`) may add to a document. */
  readonly aliasedValues: number
}

export const LIMITS: Limits = {
  fileBytes: 100e6,
  totalBytes: 400e6,
  entries: 100_000,
  documents: 50_000,
  depth: 200,
  aliasedValues: 100_000,
}
