/** Values of one metric, as `k6 run --summary-export` writes them: `p(95)`, `count`, `value`. Times in milliseconds. */
export type Values = Readonly<Record<string, number>>

/** What a run of a user's script says of itself. */
export interface Summary {
  readonly metrics: Readonly<Record<string, Values>>
  /** Whether each held, by metric and expression. */
  readonly thresholds: readonly { readonly metric: string; readonly expression: string; readonly ok: boolean }[]
  readonly checks: { readonly passed: number; readonly failed: number }
  readonly requests: number
  /** Share of them that failed: a status of 400 or more, or none. */
  readonly failedShare: number | undefined
  readonly iterations: number
  /** Iterations that were due and that k6 had no client for. */
  readonly dropped: number
}

interface Exported {
  readonly metrics?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Reads the file of `--summary-export`. Throws a SyntaxError where it is none. */
export function readSummary(text: string): Summary {
  const { metrics: exported = {} } = JSON.parse(text) as Exported
  const metrics: Record<string, Values> = {}
  const thresholds: { metric: string; expression: string; ok: boolean }[] = []
  // k6 writes them in another order each time
  for (const [name, { thresholds: crossed, ...values }] of Object.entries(exported).sort(byName)) {
    metrics[name] = Object.fromEntries(
      Object.entries(values)
        .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
        .sort(byName),
    )
    // true is crossed here, as ever in this file
    for (const [expression, isCrossed] of Object.entries((crossed ?? {}) as Record<string, boolean>).sort(byName))
      thresholds.push({ metric: name, expression, ok: !isCrossed })
  }
  return {
    metrics,
    thresholds,
    checks: { passed: metrics['checks']?.['passes'] ?? 0, failed: metrics['checks']?.['fails'] ?? 0 },
    requests: metrics['http_reqs']?.['count'] ?? 0,
    failedShare: metrics['http_req_failed']?.['value'],
    iterations: metrics['iterations']?.['count'] ?? 0,
    dropped: metrics['dropped_iterations']?.['count'] ?? 0,
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)
