import type { LoadRecord } from '../../harness/load/http/sender.ts'
import type { Vocabulary } from '../../harness/load/http/vocabulary.ts'
import type { LoadVerdict } from '../../harness/load/results/judge.ts'
import type { LoadSummary } from '../../harness/load/results/summary.ts'
import type { Workload } from '../../harness/load/workload.ts'
import type { Us } from '../../sandbox/world/time.ts'

/** All that a load came to: what is printed, and what `--out` keeps beside the requests. */
export interface LoadResult {
  readonly schemaVersion: 1
  readonly version: string
  readonly sender: 'http' | 'k6'
  readonly url: string
  readonly model: string
  readonly endpoint: 'chat' | 'completions'
  readonly server: string
  readonly workload: string
  readonly traffic: Workload
  readonly seed: number
  /** Of the prompts' texts. */
  readonly salt: number
  readonly warmUpUs: Us
  /** Judged: from the end of the warm-up. */
  readonly durationUs: Us
  /** Ctrl-C: of the duration only so much went by. */
  readonly interruptedAt: Us | undefined
  readonly prompts: Pick<Vocabulary, 'source' | 'overheadTokens' | 'leadingTokens' | 'tokensPerWord'>
  /** Of prompt tokens looked for in the server's prefix cache meanwhile; `expected`: by the schedule alone. */
  readonly prefixCacheHits: { readonly measured: number | undefined; readonly expected: number | undefined }
  readonly loopDelayP99Us: Us | undefined
  readonly summary: LoadSummary
  readonly verdict: LoadVerdict
}

/** The result with its requests as JSON, in pieces: one request a line. */
export function* outFile(result: LoadResult, records: readonly LoadRecord[]): Generator<string, void> {
  const head = JSON.stringify(result, null, 2)
  yield `${head.slice(0, -2)},\n  "requests": [\n`
  for (const [i, record] of records.entries())
    yield `    ${JSON.stringify(record)}${i + 1 < records.length ? ',' : ''}\n`
  yield '  ]\n}\n'
}
